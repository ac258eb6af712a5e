// What DoRA multiplies the rows of a matrix by: their magnitudes by the norms of the adapted rows. Computed
// on the GPU from the weights as they are there.
import { doraGain, padded } from "../../kernels/index.ts";
import type { Buffers } from "../gpu/buffers.ts";
import { encode, type Launch, launch, Pipelines } from "../gpu/dispatch.ts";
import type { AdapterWeights } from "../graph/adapter-pass.ts";
import type { Matrix } from "../graph/weights.ts";
import type { GpuModel } from "../resident/gpu-model.ts";

/**
 * Divides the magnitudes in `gains` by the norms.
 * @param dora for each of `matrices`, which rows have a magnitude: [slots, N]
 */
export async function computeGains(
  { gpu, weights }: GpuModel,
  { matrices, slots }: AdapterWeights,
  dora: readonly Uint32Array<ArrayBuffer>[],
  staging: Buffers,
): Promise<void> {
  const { device } = gpu;
  const filled = (label: string, data: Uint32Array<ArrayBuffer>): GPUBuffer => {
    const buffer = staging.storage(label, data.length);
    device.queue.writeBuffer(buffer, 0, data);
    return buffer;
  };
  const launches = matrices.flatMap(({ role, layer, matrix }, i): Launch[] => {
    if (!dora[i]!.includes(1)) return [];
    const { N, K, R, M, a, b, gains, blocks } = matrix;
    const isDora = filled("rows of DoRA", dora[i]!);
    const inOrder = filled(
      "columns in order",
      Uint32Array.from({ length: padded(K) }, (_, k) => k),
    );
    const base: Matrix =
      layer === undefined ? weights[role as "lmHead"] : weights.layers[layer]![role as "qkv"];
    let N0 = 0;
    return base.map(({ format, rows, columns = inOrder, buffers }) => {
      const size = { N: rows, N0, width: N, K, R, M, slots };
      N0 += rows;
      return launch(doraGain(format), size, a, b, gains, blocks, columns, isDora, ...buffers);
    });
  });
  if (launches.length === 0) return;
  const pipelines = Pipelines.of(device);
  const dispatches = await Promise.all(launches.map((each) => pipelines.prepare(each)));
  for (const dispatch of dispatches) {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encode(pass, [dispatch]);
    pass.end();
    // A submit each: no one of them takes long.
    device.queue.submit([encoder.finish()]);
  }
}
