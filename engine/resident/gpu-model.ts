// The GPU part of a model: its device, buffers and decoder. Made at load, and again when the device is lost.
import { type Checkpoint, WrongFileError } from "../../weights/index.ts";
import type { LoadOptions, Plan } from "../api.ts";
import { Buffers } from "../gpu/buffers.ts";
import { Pipelines } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { allocate } from "../graph/activations.ts";
import type { Decoder } from "../graph/decoder.ts";
import type { ModelLayout } from "../graph/layout.ts";
import { prepareDecoder } from "../graph/prepare.ts";
import type { Weights } from "../graph/weights.ts";
import type { Platform } from "../platform.ts";
import type { ModelStore } from "../store/model-store.ts";
import { usesTuning } from "../tuning/kernel-choice.ts";
import { planModel } from "./plan.ts";
import { uploadWeights } from "./upload.ts";

export interface GpuModel {
  readonly plan: Plan;
  readonly gpu: Gpu;
  readonly buffers: Buffers;
  readonly layout: ModelLayout;
  readonly weights: Weights;
  readonly decoder: Decoder;
}

/** What a model takes over, and where it is stored. */
interface Places {
  readonly before?: GpuModel;
  readonly store?: ModelStore | undefined;
  /** Those of the model on the device before. */
  readonly adapters?: { restore(gpuModel: GpuModel): Promise<void> };
}

/**
 * Opens a device and puts the model on it. If it fails, nothing stays on the GPU.
 * @param store packed weights: read if they are there, otherwise written for the next load
 * @param before the model that it replaces: it gets the same formats and lengths and, on an equal adapter,
 * the same kernels
 */
export async function placeOnGpu(
  platform: Pick<Platform, "openDevice" | "openFileHash" | "tuning">,
  checkpoint: Checkpoint,
  options: LoadOptions,
  { before, store, adapters }: Places = {},
): Promise<GpuModel> {
  const gpu = await platform.openDevice(options);
  const buffers = new Buffers(gpu.device);
  try {
    const planned = planModel(checkpoint, gpu.adapter, { ...options, ...(before && asPlanned(before.plan)) });
    const { plan, layout } = planned;
    const pipelines = Pipelines.of(gpu.device);
    let { shape } = planned;
    if (before && sameAdapter(gpu, before)) {
      // An answer goes on with the kernels that it began with: others round differently.
      shape = { ...shape, kernels: before.decoder.shape.kernels };
    } else if (usesTuning(options, gpu.adapter)) {
      const { tunedKernels } = await import("../tuning/tuning.ts");
      const kernels = await tunedKernels(gpu, pipelines, platform.tuning, planned, options);
      if (kernels) shape = { ...shape, kernels };
    }
    // Before the weights: the CPU device computes fastest on what is in its first 4 GiB.
    const activations = await gpu.scoped(() => allocate(gpu.device, buffers, shape));
    const stored = await store?.openWeights(checkpoint, plan.weights);
    const weights = await uploadWeights(gpu, pipelines, buffers, checkpoint, layout, {
      ...options,
      stored,
      openFileHash: platform.openFileHash,
    }).finally(() => stored?.close());
    const decoder = await prepareDecoder(
      gpu,
      pipelines,
      buffers,
      shape,
      weights,
      activations,
      before?.decoder,
    );
    const gpuModel = { plan, gpu, buffers, layout, weights, decoder };
    await adapters?.restore(gpuModel);
    return gpuModel;
  } catch (error) {
    release({ buffers, gpu });
    if (error instanceof WrongFileError) await store?.invalidate(error.file);
    throw error;
  }
}

export function release({ buffers, gpu }: Pick<GpuModel, "buffers" | "gpu">): void {
  buffers.destroy();
  gpu.dispose();
}

const asPlanned = ({ weights, cache, contextLength, parallel, rings, chunkLength }: Plan) => ({
  weights,
  cache,
  contextLength,
  parallel,
  rings,
  chunkLength,
});

const sameAdapter = ({ adapter }: Gpu, before: GpuModel): boolean =>
  JSON.stringify(adapter) === JSON.stringify(before.gpu.adapter);
