// Attention to the ring cache in plain TypeScript, and test contents for it.
import { type CacheFormat, cacheLength, vectors } from "./cache-formats/cache-format.ts";
import { padded } from "./formats/format.ts";
import type { Binding, Buffer } from "./kernel.ts";

export interface RingSize {
  T: number;
  /** Rings of the cache, one per sequence. */
  B: number;
  H: number;
  G: number;
  d: number;
  /** Slots of a ring: at least as many as the keys that the tokens of a pass see together. */
  S: number;
  /** Window: the keys that a token sees, its own included. S or more for none. */
  W: number;
  /** Tests only: the position of every token, or of the first of consecutive tokens. */
  positions?: readonly number[];
}

/** Stored width of the queries, keys and values of a token. */
export const qkvStride = ({ H, G, d }: Pick<RingSize, "H" | "G" | "d">): number => padded((H + 2 * G) * d);

/** `stores`: the kernel stores the keys and values of these tokens in the ring. */
export const ringBindings = (format: CacheFormat, size: RingSize, stores: boolean): Binding[] => [
  { name: "qkv", slot: 0, type: "f32", length: size.T * qkvStride(size) },
  {
    name: "cache",
    slot: 1,
    type: format.type,
    length: cacheLength(format, size),
    ...(stores ? { writes: true } : {}),
  },
  { name: "rows", slot: 2, type: "u32", length: size.T * 4 },
];

export const ringConstants = (size: RingSize): Record<string, number> => {
  const { H, G, d, S, W } = size;
  return {
    H,
    G,
    d,
    S,
    W,
    VECTORS: vectors(d),
    M: H / G,
    QKV_STRIDE: qkvStride(size),
    OUT_STRIDE: padded(H * d),
  };
};

/** The lowest position that position p sees. */
export const firstVisible = (p: number, W: number): number => Math.max(0, p - W + 1);

/** Maximum of positions that a query sees: the stored width of a row of attention_weights. */
export const visibleStride = ({ S, W }: Pick<RingSize, "S" | "W">): number => Math.min(S, W);

/** Keys that T consecutive tokens of one sequence see, added up. The last token is at `position`. */
export function keysSeen({ T, W }: Pick<RingSize, "T" | "W">, position: number): number {
  let keys = 0;
  for (let t = 0; t < T; t++) keys += Math.max(0, Math.min(position - t + 1, W));
  return keys;
}

/** The row of the cache that holds the key (head g) or value (head G + g) of a position. */
export const rowOf = (
  { G, S }: Pick<RingSize, "G" | "S">,
  sequence: number,
  head: number,
  position: number,
): number => (sequence * 2 * G + head) * S + (position % S);

/** Stores the key and value of token t, for every head. */
export function storeNewest(
  format: CacheFormat,
  size: RingSize,
  [qkv, cache, rows]: readonly Buffer[],
  t: number,
): void {
  const { H, G, d } = size;
  for (let head = 0; head < 2 * G; head++) {
    const at = t * qkvStride(size) + (H + head) * d;
    const row = rowOf(size, rows![4 * t + 2]!, head, rows![4 * t + 1]!);
    format.store(cache!, row, qkv!.subarray(at, at + d));
  }
}

/** q · k / sqrt(d) of query head h of token t with the keys of the positions [from, to), in float64. */
export function attentionScores(
  format: CacheFormat,
  size: RingSize,
  [qkv, cache, rows]: readonly Buffer[],
  t: number,
  h: number,
  from: number,
  to: number,
): number[] {
  const { H, G, d } = size;
  const g = Math.floor(h / (H / G));
  const scores: number[] = [];
  for (let j = from; j < to; j++) {
    const key = rowOf(size, rows![4 * t + 2]!, g, j);
    let dot = 0;
    for (let i = 0; i < d; i++) dot += qkv![t * qkvStride(size) + h * d + i]! * format.at(cache!, key, i, d);
    scores.push(dot / Math.sqrt(d));
  }
  return scores;
}

/**
 * Softmax attention of query head h of token t over the positions [from, to), in float64.
 * @returns the largest score, the sum of exp(score − largest), and the values weighted by it
 */
export function attend(
  format: CacheFormat,
  size: RingSize,
  buffers: readonly Buffer[],
  t: number,
  h: number,
  from: number,
  to: number,
) {
  const { H, G, d } = size;
  const [, cache, rows] = buffers;
  const sequence = rows![4 * t + 2]!;
  const g = Math.floor(h / (H / G));
  const scores = attentionScores(format, size, buffers, t, h, from, to);
  const largest = scores.reduce((a, b) => Math.max(a, b), EMPTY);
  const weights = scores.map((score) => Math.exp(score - largest));
  const values = new Float64Array(d);
  for (let j = from; j < to; j++) {
    const value = rowOf(size, sequence, G + g, j);
    for (let i = 0; i < d; i++) values[i]! += weights[j - from]! * format.at(cache!, value, i, d);
  }
  return { largest, sum: weights.reduce((a, b) => a + b, 0), values };
}

/** The largest score of no keys. */
const EMPTY = -1e30;

/** Attention of every token and head to all positions that it sees, into out [T, padded(H·d)]. */
export function referenceAttention(
  format: CacheFormat,
  size: RingSize,
  buffers: readonly Buffer[],
  out: Buffer,
): void {
  const { T, H, d, W } = size;
  for (let t = 0; t < T; t++) {
    const position = buffers[2]![4 * t + 1]!;
    for (let h = 0; h < H; h++) {
      const { sum, values } = attend(format, size, buffers, t, h, firstVisible(position, W), position + 1);
      values.forEach((value, i) => {
        out[t * padded(H * d) + h * d + i] = value / sum;
      });
    }
  }
}

/** A word that is NaN in every cache format: as f32, as two f16, and as a scale. */
const NAN_WORD = 0x7fc07fc0;

/**
 * Test contents: queries so large that the softmax is far from flat, and NaN in every slot that no token sees
 * or that is yet to be stored. `sequenceOf` and `positionOf` give the ring and the position of token t.
 */
export function ringContents(
  format: CacheFormat,
  size: RingSize,
  name: string,
  random: () => number,
  {
    sequenceOf,
    positionOf,
    stores,
  }: { sequenceOf(t: number): number; positionOf(t: number): number; stores: boolean },
): Buffer | undefined {
  const { T, H, G, d, W } = size;
  const uniform = (): number => random() / 2 ** 31 - 1;
  if (name === "rows") {
    return Uint32Array.from({ length: T * 4 }, (_, i) => {
      const t = Math.floor(i / 4);
      return [random(), positionOf(t), sequenceOf(t), i === 3 ? T : 0][i % 4]!;
    });
  }
  if (name === "qkv") {
    const stride = qkvStride(size);
    return Float32Array.from({ length: T * stride }, (_, i) => (i % stride < H * d ? 6 : 1) * uniform());
  }
  if (name !== "cache") return undefined;
  const words = new Uint32Array(cacheLength(format, size)).fill(NAN_WORD);
  const cache = format.type === "f32" ? new Float32Array(words.buffer) : words;
  for (let t = 0; t < T; t++) {
    const end = positionOf(t) + (stores ? 0 : 1);
    for (let j = firstVisible(positionOf(t), W); j < end; j++) {
      for (let head = 0; head < 2 * G; head++) {
        format.store(cache, rowOf(size, sequenceOf(t), head, j), Float32Array.from({ length: d }, uniform));
      }
    }
  }
  return cache;
}

/** Tests: the tokens of a decode step, each in a ring of its own. */
export const decodeRows = ({ B, positions }: RingSize) => ({
  sequenceOf: (t: number) => B - 1 - t,
  positionOf: (t: number) => positions?.[t] ?? 0,
  stores: true,
});

/** Tests: the tokens of a prefill pass, consecutive in one ring. */
export const prefillRows = ({ B, positions }: RingSize) => ({
  sequenceOf: () => B - 1,
  positionOf: (t: number) => (positions?.[0] ?? 0) + t,
  stores: false,
});
