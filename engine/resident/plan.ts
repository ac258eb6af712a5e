// Bytes and bindings of a model before the first weight is read.
import { type CacheFormatName, cacheFormats, padded, type WeightFormatName } from "../../kernels/index.ts";
import { type Checkpoint, CheckpointError, formatsAs } from "../../weights/index.ts";
import type { AdapterDescription, LoadOptions, Plan } from "../api.ts";
import { DeviceError } from "../errors.ts";
import { ringLength, scratchLengths } from "../graph/activations.ts";
import {
  columnOrders,
  hasGateThenUp,
  type ModelLayout,
  mainMatrices,
  modelLayout,
  partBytes,
  vectors,
} from "../graph/layout.ts";
import { modelShape, type Shape } from "../graph/shape.ts";
import { outOfRange } from "../options/parameter.ts";
import { chooseKernels } from "../tuning/kernel-choice.ts";

/**
 * Context length of models without a window, unless another is asked for. The cache takes its memory at load.
 */
const DEFAULT_CONTEXT = 4096;
/** Tokens of a prefill pass. Fewer keep a software driver busy, and other work waits less. */
const DEFAULT_CHUNK = { gpu: 512, software: 128 } as const;
/** Bytes that `auto` assumes to fit: WebGPU does not say how much memory there is. */
export const MAX_AUTO_BYTES = 6 * 2 ** 30;
/** What `auto` tries for weights that do not fit as they are stored. */
const AUTO_FORMATS = ["q8", "q4"] as const;
/** `auto` keeps caches up to this size in f32: a smaller one would save little beside the weights. */
const MAX_EXACT_CACHE_BYTES = 512 * 2 ** 20;

/** A plan, and the sizes that loading needs. */
export interface Planned {
  readonly plan: Plan;
  readonly shape: Shape;
  readonly layout: ModelLayout;
}

type PlanOptions = Pick<
  LoadOptions,
  "weights" | "cache" | "contextLength" | "parallel" | "rings" | "maxBindingBytes" | "chunkLength" | "kernels"
>;

/**
 * Unless `parallel` or `rings: 1` is given, plans two rings if both fit, in the formats that one would get.
 * @throws DeviceError with the numbers if the model cannot fit the adapter; RangeError for options out of
 * range
 */
export function planModel(
  checkpoint: Checkpoint,
  adapter: AdapterDescription,
  options: PlanOptions,
): Planned {
  const one = planWeights(checkpoint, adapter, options);
  if (options.parallel !== undefined || options.rings === 1) return one;
  const two = planFormats(checkpoint, adapter, one.plan, { ...options, parallel: 2 });
  return bindsCache(two) && two.plan.totalBytes <= MAX_AUTO_BYTES ? two : one;
}

/** Plans the weight format that was asked for. `auto` takes the most exact that fits. */
function planWeights(checkpoint: Checkpoint, adapter: AdapterDescription, options: PlanOptions): Planned {
  const asked = options.weights ?? "auto";
  const { quantised } = checkpoint;
  if (quantised && !quantised.convertible && asked !== "auto" && asked !== quantised.weights) {
    throw new CheckpointError(
      `${checkpoint.source.name}: this checkpoint is ${quantised.name}, not ${asked}. Load it as it is, or quantise the original.`,
    );
  }
  if (quantised && asked === "auto") return planFormat(checkpoint, adapter, quantised.weights, options);
  if (asked !== "auto") return planFormat(checkpoint, adapter, asked, options);
  const candidates = [storedFormat(checkpoint), ...AUTO_FORMATS];
  const plans = candidates.map((format) => () => planFormat(checkpoint, adapter, format, options));
  for (const plan of plans.slice(0, -1)) {
    const planned = plan();
    if (planned.plan.totalBytes <= MAX_AUTO_BYTES) return planned;
  }
  return plans.at(-1)!();
}

/** The format that keeps the stored values of all matrices as they are. Vectors are f32 in every format. */
export function storedFormat({ tensors }: Checkpoint): WeightFormatName {
  const matrices = [...tensors.values()].filter(({ shape }) => shape.length > 1);
  const encodings = new Set(matrices.map(({ encoding }) => encoding));
  return encodings.has("F32") || encodings.size > 1 ? "f32" : encodings.has("F16") ? "f16" : "bf16";
}

/**
 * Plans the cache format that was asked for. `auto` takes the first of f32, f16, q8 that memory and bindings
 * allow.
 */
function planFormat(
  checkpoint: Checkpoint,
  adapter: AdapterDescription,
  weights: WeightFormatName,
  options: PlanOptions,
): Planned {
  const asked = options.cache ?? "auto";
  const plan = (cache: CacheFormatName) => planFormats(checkpoint, adapter, { weights, cache }, options);
  let planned = plan(asked === "auto" ? "f32" : asked);
  if (asked === "auto") {
    if (!bindsCache(planned) || planned.plan.cacheBytes > MAX_EXACT_CACHE_BYTES) planned = plan("f16");
    if (!bindsCache(planned) || (planned.plan.cache === "f16" && planned.plan.totalBytes > MAX_AUTO_BYTES))
      planned = plan("q8");
  }
  if (!bindsCache(planned)) throw cacheTooLarge(planned);
  return planned;
}

const layerCacheBytes = ({ cacheFormat, ...shape }: Shape, format = cacheFormat): number =>
  4 * ringLength({ ...shape, cacheFormat: format });

const bindsCache = ({ shape, plan: { adapter } }: Planned): boolean =>
  layerCacheBytes(shape) <= adapter.maxBindingBytes;

function cacheTooLarge({ shape, plan: { adapter, cache } }: Planned): DeviceError {
  const maxTokens = (format: CacheFormatName) =>
    Math.floor(adapter.maxBindingBytes / (layerCacheBytes(shape, cacheFormats[format]) / shape.S));
  const formats = Object.keys(cacheFormats) as CacheFormatName[];
  const smaller = formats.slice(formats.indexOf(cache) + 1).map((name) => `${name} (${maxTokens(name)})`);
  const ways = [
    `of at most ${maxTokens(cache)} tokens`,
    ...(smaller.length > 0 ? [`a cache in ${smaller.join(" or ")}`] : []),
  ];
  const rings = shape.B > 1 ? `${shape.B} rings of ` : "";
  if (shape.B > 1) ways.push("fewer rings (parallel)");
  return new DeviceError(
    `cache: ${adapter.name} binds at most ${adapter.maxBindingBytes} bytes, keys and values of ${rings}${shape.S} tokens in ${cache} need ${layerCacheBytes(shape)} a layer. Ask for a context ${ways.join(", or for ")}.`,
    { code: "adapter-limit" },
  );
}

function planFormats(
  checkpoint: Checkpoint,
  adapter: AdapterDescription,
  { weights, cache }: Pick<Plan, "weights" | "cache">,
  options: PlanOptions,
): Planned {
  const { config, quantised } = checkpoint;
  const cacheFormat = cacheFormats[cache];
  const bindingLimit = Math.min(
    options.maxBindingBytes ?? Infinity,
    adapter.maxBindingBytes,
    adapter.maxBufferBytes,
  );
  const contextLength = contextTokens(checkpoint, options.contextLength);
  const layout = modelLayout(config, formatsAs(checkpoint, weights), bindingLimit, quantised?.columnsOf);
  const orders = columnOrders(layout).map(({ length }) => length);
  const gathers = { gatheredWidth: Math.max(0, ...orders), gateThenUp: hasGateThenUp(layout) };
  const main = Object.values(mainMatrices(layout)).map(({ format }) => format);
  const kernels = chooseKernels(adapter, main, checkpoint.parameters, options.kernels);
  const { parallel = 1, rings: B = parallel } = options;
  if (B < parallel)
    throw outOfRange("rings", `expected at least ${parallel}, one for each answer that runs, got ${B}.`);
  const shapeOf = (chunk: number) =>
    modelShape(config, {
      ...{ cacheFormat, kernels, contextLength, parallel, B, ...gathers },
      chunkLength: chunk,
    });
  const chunkLength =
    options.chunkLength ??
    fittingChunk(
      shapeOf,
      DEFAULT_CHUNK[adapter.software ? "software" : "gpu"],
      Math.min(adapter.maxBindingBytes, adapter.maxBufferBytes),
    );
  const shape = shapeOf(chunkLength);

  const cacheBytes = layerCacheBytes(shape);
  const parts = partBytes(layout);
  const scratch = scratchSizes(shape);
  const weightBytes = bytesOf(layout);
  const scratchBytes = sum(scratch);
  return {
    shape,
    layout,
    plan: {
      weights,
      weightBytes,
      cache,
      cacheBytes: config.L * cacheBytes,
      scratchBytes,
      totalBytes: weightBytes + config.L * cacheBytes + scratchBytes,
      largestBindingBytes: [cacheBytes, ...parts, ...scratch].reduce((a, b) => Math.max(a, b)),
      adapter,
      contextLength: shape.positions,
      rings: shape.B,
      cacheSlots: shape.S,
      parallel: shape.parallel,
      chunkLength,
      checkpointBytes: checkpoint.bytes,
      parameters: checkpoint.parameters,
      ...(quantised && { quantised: quantised.name }),
      ...(checkpoint.warnings && { warnings: checkpoint.warnings }),
      ...(checkpoint.lostWindow && { lostWindow: checkpoint.lostWindow }),
    },
  };
}

/** Bytes of the weights on the GPU. */
export const bytesOf = (layout: ModelLayout): number =>
  sum(partBytes(layout)) +
  sum([...vectors(layout), ...columnOrders(layout)].map(({ length }) => 4 * padded(length)));

function contextTokens({ config }: Checkpoint, asked: number | undefined): number {
  if (config.W !== null) return asked ?? Infinity;
  return asked ?? Math.min(config.maxPositions, DEFAULT_CONTEXT);
}

/** The largest chunk with buffers that the adapter can bind: `most`, halved as often as needed. */
function fittingChunk(shapeOf: (chunk: number) => Shape, most: number, limit: number): number {
  let chunk = most;
  while (chunk > 1 && scratchSizes(shapeOf(chunk)).some((bytes) => bytes > limit)) chunk /= 2;
  return chunk;
}

const scratchSizes = (shape: Shape): number[] => {
  const { angles, noAngles, decode, prefill, sampler, copiedRange } = scratchLengths(shape);
  const words = [
    angles,
    noAngles,
    copiedRange,
    ...[decode, prefill, sampler].flatMap((group) => Object.values<number>({ ...group })),
  ];
  return words.map((length) => 4 * length);
};

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
