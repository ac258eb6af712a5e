// Every kernel of coveringKernels against its reference, at all its test sizes, on this driver.
import { beforeAll, describe, expect, test } from "vitest";
import { kernelLabel } from "../../engine/gpu/dispatch.ts";
import { type Buffer, coveringKernels, type Kernel } from "../../kernels/index.ts";
import { openTestDevice } from "../helpers.ts";
import { contents, runKernel, runsOn } from "./run-kernel.ts";

let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});

describe.each(coveringKernels.map((kernel) => [kernelLabel(kernel), kernel] as const))("%s", (_, kernel) => {
  test.each(kernel.testSizes.map((size) => [JSON.stringify(size), size] as const))("%s", async (_, size) => {
    if (!runsOn(device, kernel)) return;
    const bindings = kernel.bindings(size);
    const host = bindings.map((binding, i) => contents(kernel, size, binding, i + 1));
    const results = await runKernel(device, kernel, size, host);
    kernel.reference(size, ...host);
    for (const [i, binding] of bindings.entries()) {
      const bytes = results[i]!;
      const actual = binding.type === "u32" ? new Uint32Array(bytes) : new Float32Array(bytes);
      expectClose(binding.name, actual, host[i]!, kernel, binding.writes ? (kernel.tolerance ?? 1e-3) : 0);
    }
  });
});

/** u32 results must be equal; f32 results within the tolerance, relative to floor + |expected|. */
function expectClose(
  name: string,
  actual: Buffer,
  expected: Buffer,
  { floor = 1e-3 }: Kernel,
  tolerance: number,
): void {
  let worst = 0;
  let at = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [actual[i]!, expected[i]!];
    if (Object.is(a, b) || a === b) continue;
    const error = expected instanceof Uint32Array ? Infinity : Math.abs(a - b) / (floor + Math.abs(b));
    if (!(error <= worst)) [worst, at] = [Number.isNaN(error) ? Infinity : error, i];
  }
  expect(worst, `${name}[${at}]: expected ${expected[at]}, got ${actual[at]}`).toBeLessThanOrEqual(tolerance);
}
