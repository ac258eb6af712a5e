// Matrix kernels on inputs with outliers of 3e4, as the first tokens of Mistral-size models have them:
// products beyond the range of f16, and sums that cancel.
import { expect, test } from "vitest";
import { encode, kernelLabel, Pipelines, readBuffer, usage } from "../../engine/gpu/dispatch.ts";
import { type Buffer, coveringKernels, type Kernel, type MatvecSize, padded } from "../../kernels/index.ts";
import { openTestDevice, randomBuffer, randomU32 } from "../helpers.ts";

const LARGE = 3e4;
const SIZE: MatvecSize = { T: 3, N: 70, K: 101 };
/**
 * Allowed error, relative to the sum of |weight * input|: the rounding of inputs to f16 or bytes, and more
 * than that of f32.
 */
const TOLERANCE = 2e-3;

const device = await openTestDevice();
const kernels = coveringKernels.filter(({ name }) => name === "matmul" || name === "matvec");

test.each(kernels.map((kernel) => [kernelLabel(kernel), kernel] as const))("%s", async (_, kernel) => {
  const { requires = [], subgroupSize } = kernel;
  const runs = requires.every((feature) => device.features.has(feature));
  if (!runs || (subgroupSize !== undefined && subgroupSize !== device.adapterInfo.subgroupMinSize)) return;
  const T = kernel.name === "matmul" ? SIZE.T : 1;
  const size = { ...SIZE, T };
  const host = kernel.bindings(size).map((binding, i): Buffer => {
    const random = randomU32(i + 1);
    const made = kernel.fill?.(size, binding.name, random) ?? randomBuffer(binding, i + 1);
    if (binding.name === "x") return outliers(made as Float32Array);
    return binding.name === "y" || binding.name === "addend" ? made.fill(0) : made;
  });
  const result = await run(kernel, size, host);
  const magnitudes = host.map((array, i) =>
    kernel.bindings(size)[i]!.name === "x" ? Float32Array.from(array, Math.abs) : array.slice(),
  );
  const y = kernel.bindings(size).findIndex(({ name }) => name === "y");
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

async function run(kernel: Kernel, size: MatvecSize, host: readonly Buffer[]): Promise<Float32Array> {
  const buffers = host.map((array) => {
    const buffer = device.createBuffer({
      size: array.byteLength,
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
  const y = kernel.bindings(size).findIndex(({ name }) => name === "y");
  const bytes = await readBuffer(device, buffers[y]!);
  for (const buffer of buffers) buffer.destroy();
  return new Float32Array(bytes);
}
