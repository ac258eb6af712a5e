// Matrix kernels on inputs with outliers of 3e4, as the first tokens of Mistral-size models have them:
// products beyond the range of f16, and sums that cancel.
import { expect, test } from "vitest";
import { kernelLabel } from "../../engine/gpu/dispatch.ts";
import { type Buffer, coveringKernels, type MatvecSize, padded } from "../../kernels/index.ts";
import { openTestDevice } from "../helpers.ts";
import { contents, runKernel, runsOn } from "./run-kernel.ts";

const LARGE = 3e4;
const SIZE: MatvecSize = { T: 3, N: 70, K: 101 };
/**
 * Allowed error, as a fraction of four outliers and of the result for |input|: more than the rounding of
 * inputs to f16 or bytes.
 */
const TOLERANCE = 2e-3;

const device = await openTestDevice();
const kernels = coveringKernels.filter(({ name }) => name === "matmul" || name === "matvec");

test.each(kernels.map((kernel) => [kernelLabel(kernel), kernel] as const))("%s", async (_, kernel) => {
  if (!runsOn(device, kernel)) return;
  const T = kernel.name === "matmul" ? SIZE.T : 1;
  const size = { ...SIZE, T };
  const bindings = kernel.bindings(size);
  const y = bindings.findIndex(({ name }) => name === "y");
  const host = bindings.map((binding, i): Buffer => {
    const made = contents(kernel, size, binding, i + 1);
    if (binding.name === "x") return outliers(made as Float32Array);
    return binding.name === "y" || binding.name === "addend" ? made.fill(0) : made;
  });
  const results = await runKernel(device, kernel, size, host);
  const result = new Float32Array(results[y]!);
  const magnitudes = host.map((array, i) =>
    bindings[i]!.name === "x" ? Float32Array.from(array, Math.abs) : array.slice(),
  );
  kernel.reference(size, ...host);
  kernel.reference(size, ...magnitudes);
  const stride = padded(SIZE.N);
  for (let t = 0; t < T; t++) {
    for (let n = 0; n < SIZE.N; n++) {
      const [actual, expected] = [result[t * stride + n]!, host[y]![t * stride + n]!];
      const bound = TOLERANCE * LARGE * 4 + Math.abs(magnitudes[y]![t * stride + n]!) * TOLERANCE;
      expect(Math.abs(actual - expected), `y[${t}, ${n}]: expected ${expected}, got ${actual}`).toBeLessThan(
        bound,
      );
    }
  }
});

/** Four outliers in a row that cancel if their weights are equal, once in every 32 columns. */
function outliers(x: Float32Array): Float32Array {
  const signs = [1, 1, -1, -1];
  return x.map((value, i) => (i % padded(SIZE.K) < SIZE.K && i % 32 < 4 ? LARGE * signs[i % 4]! : value));
}
