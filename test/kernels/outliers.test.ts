// Matrix kernels on inputs with outliers of 3e4, as the first tokens of Mistral-size models have them:
// products beyond the range of f16, and sums that cancel.
import { expect, test } from "vitest";
import { kernelLabel } from "../../engine/gpu/dispatch.ts";
import { type Buffer, coveringKernels, type MatvecSize, padded, quantized } from "../../kernels/index.ts";
import { openTestDevice } from "../helpers.ts";
import { randomU32 } from "../random.ts";
import { isSlowDriver } from "../slow-driver.ts";
import { contents, runKernel, runsOn } from "./run-kernel.ts";

const LARGE = 3e4;
const SIZE: MatvecSize = { T: 3, N: 70, K: 101 };
/**
 * Allowed error, as a fraction of four outliers and of the result for |input|: more than the rounding of
 * inputs to f16 or bytes.
 */
const TOLERANCE = 2e-3;

const device = await openTestDevice();
// On a slow driver: those whose subgroups may be of another size there. The others have run on a faster one.
const kernels = coveringKernels.filter(
  ({ name, requires = [] }) =>
    (name === "matmul" || name === "matvec") && (!isSlowDriver || requires.includes("subgroups")),
);

test.each(kernels.map((kernel) => [kernelLabel(kernel), kernel] as const))("%s", async (_, kernel) => {
  if (!runsOn(device, kernel)) return;
  const T = kernel.name === "matmul" ? SIZE.T : 1;
  const size = { ...SIZE, T };
  const bindings = kernel.bindings(size);
  const y = bindings.findIndex(({ name }) => name === "y");
  const { length } = bindings.find(({ name }) => name === "x" || name === "codes")!;
  const rows = (length * (kernel.quantizedInput ? 4 : 1)) / padded(SIZE.K);
  const input = (x: Float32Array): Readonly<Record<string, Buffer>> =>
    kernel.quantizedInput ? quantized({ ...size, T: rows }, x, kernel.quantizedInput) : { x };
  const x = outliers(rows);
  const host = bindings.map((binding, i): Buffer => {
    const made = input(x)[binding.name] ?? contents(kernel, size, binding, i + 1);
    return binding.name === "y" || binding.name === "addend" ? made.fill(0) : made;
  });
  const magnitude = input(x.map(Math.abs));
  const magnitudes = host.map((array, i) => magnitude[bindings[i]!.name] ?? array.slice());
  const results = await runKernel(device, kernel, size, host);
  const result = new Float32Array(results[y]!);
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

/** Random rows with four outliers that cancel if their weights are equal, once in every 32 columns. */
function outliers(rows: number): Float32Array {
  const signs = [1, 1, -1, -1];
  const stride = padded(SIZE.K);
  const random = randomU32(7);
  return Float32Array.from({ length: rows * stride }, (_, i) => {
    if (i % stride >= SIZE.K) return 0;
    return i % 32 < 4 ? LARGE * signs[i % 4]! : random() / 2 ** 31 - 1;
  });
}
