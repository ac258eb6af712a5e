// Puts LoRA adapters on the GPU: A and B of every adapter in one buffer for each matrix of the model, so that
// one launch serves rows with different adapters. A lazy chunk.
import { TILE, USE_WORDS } from "../../kernels/index.ts";
import { type Adapter, type ModelConfig, requiredTensors, type TensorRole } from "../../weights/index.ts";
import { DeviceError } from "../errors.ts";
import { Buffers } from "../gpu/buffers.ts";
import { Pipelines } from "../gpu/dispatch.ts";
import { SCORE_ROWS } from "../graph/activations.ts";
import {
  type AdaptedMatrix,
  type AdapterScratch,
  type AdapterWeights,
  adapterPass,
  adapterScratch,
} from "../graph/adapter-pass.ts";
import { AdapterUses } from "../graph/adapter-uses.ts";
import { allMatrices } from "../graph/layout.ts";
import { prepareLists } from "../graph/prepare.ts";
import type { GpuModel } from "../resident/gpu-model.ts";
import { computeGains } from "./dora-gains.ts";
import type { LoadedAdapters } from "./loaded-adapters.ts";
import { stackAdapters } from "./stack.ts";

/** The buffers of a model's adapters. */
const placed = new WeakMap<GpuModel, Buffers>();

/**
 * Puts these in place of all adapters of a model. No pass may be in flight. If it fails, the old ones stay.
 * @param adapters default: those that are loaded
 */
export async function placeAdapters(
  { calls, config, loaded }: LoadedAdapters,
  gpuModel: GpuModel,
  adapters: readonly Adapter[] = loaded,
): Promise<void> {
  const { decoder } = gpuModel;
  const buffers = gpuModel.buffers.group();
  try {
    decoder.adapters =
      adapters.length > 0 ? await adapterUses(gpuModel, config, adapters, buffers) : undefined;
  } catch (error) {
    buffers.destroy();
    throw error;
  }
  placed.get(gpuModel)?.destroy();
  placed.set(gpuModel, buffers);
  const counts = adapters.map((adapter) => [adapter, calls.get(adapter) ?? 0] as const);
  calls.clear();
  for (const [adapter, count] of counts) calls.set(adapter, count);
}

async function adapterUses(
  gpuModel: GpuModel,
  config: ModelConfig,
  slots: readonly Adapter[],
  buffers: Buffers,
): Promise<AdapterUses> {
  const { gpu, weights, decoder } = gpuModel;
  const { shape, activations } = decoder;
  const pipelines = Pipelines.of(gpu.device);
  const { onGpu, dora } = await gpu.scoped(() => upload(gpuModel, config, slots, buffers));
  const staging = new Buffers(gpu.device);
  await gpu.scoped(() => computeGains(gpuModel, onGpu, dora, staging)).finally(() => staging.destroy());
  const lists = await gpu.scoped(() => {
    const passOf = (name: "decode" | "prefill", T: number) => {
      const lengths = adapterScratch(onGpu, T);
      const scratch: AdapterScratch = {
        h: buffers.storage(`${name} products of A`, lengths.h),
        delta: buffers.storage(`${name} deltas`, lengths.delta),
      };
      return adapterPass(shape, onGpu, scratch, activations[name].rows);
    };
    const T = Math.max(SCORE_ROWS, Math.ceil(shape.chunkLength / TILE) * TILE);
    const passes = { decode: passOf("decode", shape.parallel), prefill: passOf("prefill", T) };
    return prepareLists(pipelines, shape, weights, activations, passes);
  });
  const adapted = { lists, uses: onGpu.uses, slots };
  return new AdapterUses(decoder.submitter, shape.B, adapted, decoder.adapters);
}

function upload(
  { gpu, layout, decoder }: GpuModel,
  config: ModelConfig,
  slots: readonly Adapter[],
  buffers: Buffers,
): { readonly onGpu: AdapterWeights; readonly dora: readonly Uint32Array<ArrayBuffer>[] } {
  const { device, adapter } = gpu;
  const roles = new Map(requiredTensors(config).map(({ name, role }) => [name, role]));
  const store = (label: string, data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): GPUBuffer => {
    if (data.byteLength > Math.min(adapter.maxBindingBytes, adapter.maxBufferBytes)) {
      throw new DeviceError(
        `adapters: ${adapter.name} binds at most ${adapter.maxBindingBytes} bytes, ${label} of ${slots.length} adapters needs ${data.byteLength}. Remove an adapter, or load ones of lower rank.`,
        { code: "adapter-limit" },
      );
    }
    const buffer = buffers.storage(label, data.length);
    device.queue.writeBuffer(buffer, 0, data);
    return buffer;
  };
  const stacked = allMatrices(layout).flatMap(({ role, layer, matrix }) => {
    // A tied lm_head has the tensors of the embedding, and adapters of its own.
    const roleOf = (tensor: string): TensorRole => (role === "lmHead" ? role : roles.get(tensor)!);
    const contents = stackAdapters({ role, layer, matrix, roleOf }, slots, config);
    if (!contents) return [];
    const { N, K, R, M, a, b, gains, blocks, dora } = contents;
    const label = `adapters of ${matrix.name}`;
    const placed: AdaptedMatrix = {
      ...{ N, K, R, M },
      a: store(`A, ${label}`, a),
      b: store(`B, ${label}`, b),
      gains: store(`gains, ${label}`, gains),
      blocks: store(`blocks, ${label}`, blocks),
    };
    return [{ dora, adapted: { role, layer, matrix: placed } }];
  });
  const matrices = stacked.map(({ adapted }) => adapted);
  const uses = buffers.storage("uses of adapters", USE_WORDS * decoder.shape.B);
  return { onGpu: { slots: slots.length, uses, matrices }, dora: stacked.map(({ dora }) => dora) };
}
