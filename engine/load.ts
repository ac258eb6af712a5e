// A source -> config, tokenizer, weights on the GPU -> Model.
import { Tokenizer } from "../tokenizer/index.ts";
import { type Checkpoint, openCheckpoint, type Source, SourceChangedError } from "../weights/index.ts";
import { Adapters } from "./adapters/adapters.ts";
import type { AddAdapterOptions, LoadOptions, Model, Plan, Tuning } from "./api.ts";
import { Pipelines } from "./gpu/dispatch.ts";
import type { Gpu } from "./gpu/gpu.ts";
import { LoadedModel } from "./model.ts";
import { checkLoad, checkSource } from "./options/tables.ts";
import type { Platform } from "./platform.ts";
import { DeviceRecovery, type Rebuild, retryOnce } from "./resident/device-recovery.ts";
import { placeOnGpu } from "./resident/gpu-model.ts";
import { type Planned, planModel as plan } from "./resident/plan.ts";
import type { ModelStore } from "./store/model-store.ts";

async function openSource(
  call: string,
  platform: Platform,
  source: string | Source | undefined,
  options: LoadOptions,
): Promise<Source> {
  checkSource(source);
  checkLoad(call, options);
  options.signal?.throwIfAborted();
  return typeof source === "object" ? source : await platform.openSource(source, options);
}

/** Opens a checkpoint, with another attention window if one was asked for. */
async function open(source: Source, { window, signal }: LoadOptions): Promise<Checkpoint> {
  const checkpoint = await openCheckpoint(source, signal);
  if (window === undefined) return checkpoint;
  const { warnings, lostWindow, ...rest } = checkpoint;
  return { ...rest, config: { ...rest.config, W: window } };
}

/** Opens checkpoint and device for `use`. If `use` fails, the device is disposed of. */
async function withCheckpoint<T>(
  platform: Platform,
  source: Source,
  options: LoadOptions,
  use: (checkpoint: Checkpoint, gpu: Gpu, planned: Planned) => Promise<T>,
): Promise<T> {
  const checkpoint = await open(source, options);
  const gpu = await platform.openDevice(options);
  try {
    return await use(checkpoint, gpu, plan(checkpoint, gpu.adapter, options));
  } catch (error) {
    gpu.dispose();
    throw error;
  }
}

/** Loads a model. If that fails, nothing stays on the GPU. */
export async function loadModel(
  platform: Platform,
  source: string | Source | undefined,
  options: LoadOptions,
): Promise<Model> {
  const origin = await openSource("loadModel", platform, source, options);
  const store = await platform.store?.open(origin, options);
  if (!store) return load(platform, origin, options);
  const signal = AbortSignal.any([store.signal, ...(options.signal ? [options.signal] : [])]);
  try {
    try {
      return await load(platform, store.source, { ...options, signal }, store);
    } catch (error) {
      if (!(error instanceof SourceChangedError)) throw error;
      await store.clear();
      return await load(platform, store.source, { ...options, signal }, store);
    }
  } catch (error) {
    store.release();
    throw error;
  }
}

async function load(
  platform: Platform,
  source: Source,
  options: LoadOptions,
  store?: ModelStore,
): Promise<LoadedModel> {
  const checkpoint = await open(source, options);
  const vocabulary = await checkpoint.vocabulary(options.signal);
  const tokenizer = vocabulary && Tokenizer.from(vocabulary);
  await store?.saveSource();
  const first = () => placeOnGpu(platform, checkpoint, options, { store });
  const gpuModel = await (options.device ? first() : retryOnce(first, options.signal));
  const adapters = new Adapters(checkpoint.config);
  const rebuild: Rebuild = (before, signal) =>
    placeOnGpu(platform, checkpoint, { ...options, signal }, { store, before, adapters });
  const recovery = new DeviceRecovery(gpuModel, options.device ? undefined : rebuild);
  const { token, signal } = options;
  const openSource = (name: string, own: AddAdapterOptions) =>
    platform.openSource(name, { ...(token && { token }), store: false, ...own });
  const model = new LoadedModel({ checkpoint, tokenizer, recovery, adapters, openSource, lease: store });
  try {
    for (const [name, from] of Object.entries(options.adapters ?? {}))
      await model.addAdapter(name, from, signal ? { signal } : {});
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** Plans a model without loading it. */
export async function planModel(
  platform: Platform,
  source: string | Source | undefined,
  options: LoadOptions,
): Promise<Plan> {
  const origin = await openSource("planModel", platform, source, options);
  const known = (await platform.store?.openReadOnly(origin, options)) ?? origin;
  return withCheckpoint(platform, known, options, async (_, gpu, planned) => {
    gpu.dispose();
    return planned.plan;
  });
}

/** Measures the kernels on a model's shapes, and remembers the fastest. Reads no weights. */
export async function tuneModel(
  platform: Platform,
  source: string | Source | undefined,
  options: LoadOptions,
): Promise<Tuning> {
  const opened = await openSource("tuneModel", platform, source, options);
  const { measureKernels } = await import("./tuning/tuning.ts");
  return withCheckpoint(platform, opened, options, async (_, gpu, planned) => {
    try {
      return await measureKernels(gpu, Pipelines.of(gpu.device), platform.tuning, planned, options);
    } finally {
      gpu.dispose();
    }
  });
}
