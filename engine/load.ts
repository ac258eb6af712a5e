// A source -> config, tokenizer, weights on the GPU -> Model.
import { Tokenizer } from "../tokenizer/index.ts";
import { type Checkpoint, CheckpointError, openCheckpoint, type Source } from "../weights/index.ts";
import type { LoadOptions, Model, Plan, Tuning } from "./api.ts";
import type { Gpu } from "./device.ts";
import { Pipelines } from "./gpu.ts";
import { LoadedModel } from "./model.ts";
import { type Planned, planModel as plan } from "./plan.ts";
import type { Platform } from "./platform.ts";
import { type Rebuild, Residence } from "./residence.ts";
import { reside } from "./resident.ts";
import { measureKernels } from "./tuning.ts";

export type { Platform };

/** Opens checkpoint and device, and hands both to `use`; the device is closed where `use` fails. */
async function withCheckpoint<T>(
  platform: Platform,
  source: string | Source | undefined,
  options: LoadOptions,
  use: (checkpoint: Checkpoint, gpu: Gpu, planned: Planned) => Promise<T>,
): Promise<T> {
  const checkpoint = await open(platform, source, options);
  const gpu = await platform.openDevice(options);
  try {
    return await use(checkpoint, gpu, plan(checkpoint, gpu.adapter, options));
  } catch (error) {
    gpu.dispose();
    throw error;
  }
}

async function open(
  platform: Platform,
  source: string | Source | undefined,
  options: LoadOptions,
): Promise<Checkpoint> {
  const { signal } = options;
  signal?.throwIfAborted();
  const opened = typeof source === "object" ? source : await platform.openSource(source, options);
  return openCheckpoint(opened, signal);
}

/** Loads a model. Nothing stays on the GPU where it fails. */
export async function loadModel(
  platform: Platform,
  source: string | Source | undefined,
  options: LoadOptions,
): Promise<Model> {
  const checkpoint = await open(platform, source, options);
  const tokenizer = await openTokenizer(checkpoint.source, options.signal);
  const resident = await reside(platform, checkpoint, options);
  const rebuild: Rebuild = (before, signal) => reside(platform, checkpoint, { ...options, signal }, before);
  const residence = new Residence(resident, options.device ? undefined : rebuild);
  return new LoadedModel({ checkpoint, tokenizer, residence });
}

/** What a model would take, without loading it. */
export function planModel(
  platform: Platform,
  source: string | Source | undefined,
  options: LoadOptions,
): Promise<Plan> {
  return withCheckpoint(platform, source, options, async (_, gpu, planned) => {
    gpu.dispose();
    return planned.plan;
  });
}

/** Measures the kernels on a model's shapes, and remembers which are fastest; no weight is read. */
export function tuneModel(
  platform: Platform,
  source: string | Source | undefined,
  options: LoadOptions,
): Promise<Tuning> {
  return withCheckpoint(platform, source, options, async (_, gpu, { shape }) => {
    try {
      return await measureKernels(gpu, Pipelines.of(gpu.device), platform.tuning, shape, options);
    } finally {
      gpu.dispose();
    }
  });
}

/** The tokenizer of a checkpoint, where it has one. @throws CheckpointError where a file is no JSON. */
async function openTokenizer(
  source: Source,
  signal: AbortSignal | undefined,
): Promise<Tokenizer | undefined> {
  const read = async (file: string) => {
    if ((await source.size(file, signal)) === undefined) return undefined;
    return new TextDecoder().decode(await source.read(file, undefined, undefined, signal));
  };
  const json = async (file: string): Promise<unknown> => {
    const text = await read(file);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new CheckpointError(
        `${file}: expected JSON, got ${(cause as Error).message}. Fetch the file again.`,
        { cause },
      );
    }
  };
  const tokenizer = await json("tokenizer.json");
  if (tokenizer === undefined) return undefined;
  return Tokenizer.from({
    tokenizer,
    tokenizerConfig: await json("tokenizer_config.json"),
    specialTokensMap: await json("special_tokens_map.json"),
    chatTemplate: await read("chat_template.jinja"),
  });
}
