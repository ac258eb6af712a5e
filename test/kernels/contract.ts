// What must hold of every kernel, on any device: it gives what its reference gives.
import { kernelLabel } from "../../engine/gpu/dispatch.ts";
import { type Buffer, coveringKernels, type Kernel } from "../../kernels/index.ts";
import { contents, runKernel } from "./run-kernel.ts";

/** Every kernel of coveringKernels at each of its test sizes. */
export const kernelCases = coveringKernels.flatMap((kernel) =>
  kernel.testSizes.map((size) => ({ name: `${kernelLabel(kernel)} ${JSON.stringify(size)}`, kernel, size })),
);

/** Runs the kernel on random buffers. @throws Error if a result differs from the reference's */
export async function checkKernel(device: GPUDevice, kernel: Kernel, size: object): Promise<void> {
  const bindings = kernel.bindings(size);
  const host = bindings.map((binding, i) => contents(kernel, size, binding, i + 1));
  const results = await runKernel(device, kernel, size, host);
  kernel.reference(size, ...host);
  compareBuffers(kernel, size, results, host);
}

/** @param results bytes of each binding @throws Error if a result differs from what is expected */
export function compareBuffers(
  kernel: Kernel,
  size: object,
  results: readonly ArrayBuffer[],
  host: readonly Buffer[],
): void {
  for (const [i, binding] of kernel.bindings(size).entries()) {
    const bytes = results[i]!;
    const actual = binding.type === "u32" ? new Uint32Array(bytes) : new Float32Array(bytes);
    const expected = host[i]!.subarray(0, binding.used);
    const { worst, at } = difference(actual, expected, kernel);
    if (worst > (binding.writes ? (kernel.tolerance ?? 1e-3) : 0))
      throw new Error(
        `${binding.name}[${at}]: expected ${expected[at]}, got ${actual[at]}, an error of ${worst}`,
      );
  }
}

/** Worst error relative to floor + |expected|, and where. u32 must be equal: Infinity if they are not. */
function difference(
  actual: Buffer,
  expected: Buffer,
  { floor = 1e-3 }: Kernel,
): { worst: number; at: number } {
  let worst = 0;
  let at = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [actual[i]!, expected[i]!];
    if (Object.is(a, b) || a === b) continue;
    const error = expected instanceof Uint32Array ? Infinity : Math.abs(a - b) / (floor + Math.abs(b));
    if (!(error <= worst)) [worst, at] = [Number.isNaN(error) ? Infinity : error, i];
  }
  return { worst, at };
}
