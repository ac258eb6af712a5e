// Attention to a full cache.
import {
  type AttentionVariant,
  attend,
  attentionCombine,
  attentionSplits,
  attentionVariants,
  type Buffer,
  type CacheFormat,
  cacheLength,
  decodeRows,
  firstVisible,
  padded,
  partialLength,
  prefillRows,
  ringContents,
  storeNewest,
} from "../../kernels/index.ts";
import type { Pass } from "../api.ts";
import type { Buffers } from "../gpu/buffers.ts";
import { type Launch, launch, type Pipelines } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Shape } from "../graph/shape.ts";
import { fillBuffer } from "./fill-buffer.ts";
import { INPUTS } from "./output-check.ts";
import { randomU32 } from "./random.ts";
import { rotate } from "./rotate.ts";
import type { Bench } from "./variant-bench.ts";

/** Rows of the cache that differ: they repeat, as times do not depend on them. */
const DIFFERENT_ROWS = 61;
/** Outliers of queries and of the newest keys and values: so large is one entry of 16. */
const OUTLIER = 20;

export interface AttentionCase {
  readonly pass: Pass;
  readonly shape: Shape;
  /** The most positions of the cache. */
  readonly keys: number;
  /** Tokens of a step, or of a prefill pass. */
  readonly rowCounts: readonly number[];
  /** Bytes of caches that batches go round. */
  readonly rotatedBytes: number;
}

/** Makes and fills the buffers of attention. @throws DeviceError if there is no room for them */
export async function openAttention(
  gpu: Gpu,
  pipelines: Pipelines,
  made: Buffers,
  { pass, shape, keys, rowCounts, rotatedBytes }: AttentionCase,
): Promise<Bench> {
  const { cacheFormat, B, H, G, d, W } = shape;
  const S = Math.min(shape.S, keys);
  const most = Math.max(...rowCounts);
  const positions = pass === "decode" ? Array.from({ length: most }, () => S - 1) : [S - most];
  const sizeOf = (T: number) => ({ T, B, H, G, d, S, W, positions });
  const size = sizeOf(most);
  const stride = padded(H * d);
  const SPLITS = attentionSplits(size);
  const random = randomU32();
  const standing = pass === "decode" ? decodeRows(size) : prefillRows(size);
  const contents = (name: string) => ringContents(cacheFormat, size, name, random, standing)!;
  const [qkv, rows] = [contents("qkv"), contents("rows")];
  const inputs = [qkv, qkv.map((value, i) => (i % 16 === 5 ? OUTLIER * value : value))];
  const cache = differentRows(shape, random);

  const make = (name: string, length: number, data?: Buffer): GPUBuffer => {
    const buffer = made.storage(`tuning ${name}`, length);
    if (data) fillBuffer(gpu.device, buffer, data);
    return buffer;
  };
  const caches = await rotate(gpu, rotatedBytes, () => ({
    cache: make("cache", cacheLength(cacheFormat, size), cache),
  }));
  const queries = inputs.map((input) => make("qkv", input.length, input));
  const standings = make("rows", rows.length, rows);
  const outputs = make("outputs", most * stride);
  const partial = make("partial", pass === "decode" ? partialLength({ ...size, SPLITS }) : 1);

  const launches = (variant: AttentionVariant, T: number, set: number): Launch[] => {
    const { decode, prefill, splits } = attentionVariants[variant];
    const bound = [queries[set % INPUTS]!, caches[set % caches.length]!["cache"]!, standings] as const;
    if (pass === "prefill")
      return [launch(prefill(cacheFormat), { ...sizeOf(T), store: false }, ...bound, outputs)];
    const split = { ...sizeOf(T), SPLITS: splits ? SPLITS : 1, store: true };
    if (split.SPLITS === 1) return [launch(decode(cacheFormat, d), split, ...bound, outputs)];
    return [
      launch(decode(cacheFormat, d), split, ...bound, partial),
      launch(attentionCombine, split, partial, standings, outputs),
    ];
  };

  return {
    rowCounts,
    outputs,
    width: H * d,
    stride,
    sets: Math.max(INPUTS, caches.length),
    rounds: () => false,
    prepare: (variant, T, set) =>
      Promise.all(launches(variant as AttentionVariant, T, set).map((each) => pipelines.prepare(each))),
    // A head at a time: one is a walk over all keys.
    sampled: (T) => [
      [0, 0],
      [T - 1, H * d - 1],
    ],
    plain(input, [t, column]) {
      const format = repeating(cacheFormat, d);
      const host = [inputs[input]!, cache, rows];
      if (pass === "decode") storeNewest(format, size, host, t);
      const position = rows[4 * t + 1]!;
      const h = Math.floor(column / d);
      const { values, sum } = attend(format, size, host, t, h, firstVisible(position, W), position + 1);
      return values[column % d]! / sum;
    },
  };
}

/** Rows of keys and values. */
function differentRows({ cacheFormat, d }: Shape, random: () => number): Buffer {
  const array = cacheFormat.type === "f32" ? Float32Array : Uint32Array;
  const few = new array(DIFFERENT_ROWS * cacheFormat.words(d));
  const uniform = () => random() / 2 ** 31 - 1;
  for (let row = 0; row < DIFFERENT_ROWS; row++)
    cacheFormat.store(few, row, Float32Array.from({ length: d }, uniform));
  return few;
}

/** Reads and writes a cache that repeats DIFFERENT_ROWS rows; rows that are stored are kept beside it. */
function repeating(format: CacheFormat, d: number): CacheFormat {
  const kept = new Map<number, Buffer>();
  return {
    ...format,
    at(cache, row, i) {
      const own = kept.get(row);
      return own ? format.at(own, 0, i, d) : format.at(cache, row % DIFFERENT_ROWS, i, d);
    },
    store(cache, row, entries) {
      const own = cache.slice(0, format.words(d));
      format.store(own, 0, entries);
      kept.set(row, own);
    },
  };
}
