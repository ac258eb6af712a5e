// Every kernel of coveringKernels against its reference, at all its test sizes, on this driver.
import { beforeAll, describe, expect, test } from "vitest";
import { encode, kernelLabel, Pipelines, readBuffer, usage } from "../../engine/gpu/dispatch.ts";
import { type Binding, type Buffer, coveringKernels, type Kernel } from "../../kernels/index.ts";
import { openTestDevice, randomBuffer, randomU32 } from "../helpers.ts";

let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});

describe.each(coveringKernels.map((kernel) => [kernelLabel(kernel), kernel] as const))("%s", (_, kernel) => {
  test.each(kernel.testSizes.map((size) => [JSON.stringify(size), size] as const))("%s", async (_, size) => {
    if (!runsOn(kernel)) return;
    const bindings = kernel.bindings(size);
    const host = bindings.map((binding, i) => contents(kernel, size, binding, i + 1));
    const buffers = host.map((array) => {
      const buffer = device.createBuffer({
        size: Math.max(4, array.byteLength),
        usage: usage.storage | usage.copySrc | usage.copyDst,
      });
      device.queue.writeBuffer(buffer, 0, array as Buffer & ArrayBufferView<ArrayBuffer>);
      return buffer;
    });
    const dispatch = await Pipelines.of(device).prepare([kernel, size, ...buffers]);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encode(pass, [dispatch]);
    pass.end();
    device.queue.submit([encoder.finish()]);
    kernel.reference(size, ...host);
    for (const [i, binding] of bindings.entries()) {
      const bytes = await readBuffer(device, buffers[i]!);
      const actual = binding.type === "u32" ? new Uint32Array(bytes) : new Float32Array(bytes);
      expectClose(binding.name, actual, host[i]!, kernel, binding.writes ? (kernel.tolerance ?? 1e-3) : 0);
    }
    for (const buffer of buffers) buffer.destroy();
    device.queue.submit([]);
  });
});

function contents(kernel: Kernel, size: object, binding: Binding, seed: number): Buffer {
  return kernel.fill?.(size, binding.name, randomU32(seed)) ?? randomBuffer(binding, seed);
}

/**
 * Together the two software drivers run every kernel: one has subgroups of 8 and f16, the other subgroups of
 * 4.
 */
function runsOn({ requires = [], subgroupSize }: Kernel): boolean {
  const { subgroupMinSize } = device.adapterInfo;
  return (
    requires.every((feature) => device.features.has(feature)) &&
    (subgroupSize === undefined || subgroupSize === subgroupMinSize)
  );
}

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
