// Attention over the ring cache in plain TypeScript: which keys a query sees, and what it makes of them.
import { padded } from "./formats/format.ts";
import type { Binding, Buffer } from "./kernel.ts";
import { cacheLength, storedHead } from "./rope.ts";

export interface RingSize {
  T: number;
  /** Sequences the cache holds. */
  B: number;
  H: number;
  G: number;
  d: number;
  /** Slots; at least as many as keys are visible to the rows of a pass together. */
  S: number;
  /** Window; S or more for none. */
  W: number;
  /** Tests only: position of every row, or of the first of consecutive rows. */
  positions?: readonly number[];
}

export const ringBindings = (size: RingSize): Binding[] => [
  { name: "q", slot: 0, type: "f32", length: size.T * padded(size.H * size.d) },
  { name: "cache", slot: 1, type: "f32", length: cacheLength(size) },
  { name: "rows", slot: 2, type: "u32", length: size.T * 4 },
];

export const ringConstants = ({ H, G, d, S, W }: RingSize): Record<string, number> => ({
  H,
  G,
  d,
  d_STORED: storedHead(d),
  S,
  W,
  Q_STRIDE: padded(H * d),
});

/** The lowest position that position p sees. */
export const firstVisible = (p: number, W: number): number => Math.max(0, p - W + 1);

/** Where the row of a position starts in the cache. `kind` is 0 for keys, 1 for values. */
const rowAt = ({ G, S, d }: RingSize, sequence: number, kind: 0 | 1, g: number, position: number): number =>
  (((sequence * 2 + kind) * G + g) * S + (position % S)) * storedHead(d);

/**
 * Softmax attention of query head h of row t over the positions [from, to), in float64.
 * @returns the largest score, the sum of exp(score − largest), and the values weighted by it
 */
export function attend(
  size: RingSize,
  [q, cache, rows]: readonly Buffer[],
  t: number,
  h: number,
  from: number,
  to: number,
) {
  const { H, G, d } = size;
  const sequence = rows![4 * t + 2]!;
  const g = Math.floor(h / (H / G));
  const scores: number[] = [];
  for (let j = from; j < to; j++) {
    const key = rowAt(size, sequence, 0, g, j);
    let dot = 0;
    for (let i = 0; i < d; i++) dot += q![t * padded(H * d) + h * d + i]! * cache![key + i]!;
    scores.push(dot / Math.sqrt(d));
  }
  const largest = scores.reduce((a, b) => Math.max(a, b), EMPTY);
  const weights = scores.map((score) => Math.exp(score - largest));
  const values = new Float64Array(d);
  for (let j = from; j < to; j++) {
    const value = rowAt(size, sequence, 1, g, j);
    for (let i = 0; i < d; i++) values[i]! += weights[j - from]! * cache![value + i]!;
  }
  return { largest, sum: weights.reduce((a, b) => a + b, 0), values };
}

/** Stands for the largest score where no key was seen. */
export const EMPTY = -1e30;

/** Attention of every row and head over all the positions it sees, into out [T, padded(H·d)]. */
export function referenceAttention(size: RingSize, buffers: readonly Buffer[], out: Buffer): void {
  const { T, H, d, W } = size;
  for (let t = 0; t < T; t++) {
    const position = buffers[2]![4 * t + 1]!;
    for (let h = 0; h < H; h++) {
      const { sum, values } = attend(size, buffers, t, h, firstVisible(position, W), position + 1);
      values.forEach((value, i) => {
        out[t * padded(H * d) + h * d + i] = value / sum;
      });
    }
  }
}

/**
 * Test contents: queries large enough for the softmax to be far from flat, and NaN in every slot that no row sees.
 * `sequenceOf` and `positionOf` say where row t stands.
 */
export function ringContents(
  size: RingSize,
  name: string,
  random: () => number,
  [sequenceOf, positionOf]: readonly [(t: number) => number, (t: number) => number],
): Buffer | undefined {
  const { T, B, H, G, d, S, W } = size;
  const uniform = (): number => random() / 2 ** 31 - 1;
  if (name === "rows") {
    return Uint32Array.from({ length: T * 4 }, (_, i) => {
      const t = Math.floor(i / 4);
      return [random(), positionOf(t), sequenceOf(t), i === 3 ? T : 0][i % 4]!;
    });
  }
  if (name === "q") return Float32Array.from({ length: T * padded(H * d) }, () => 6 * uniform());
  if (name !== "cache") return undefined;
  const cache = new Float32Array(cacheLength({ B, G, S, d })).fill(Number.NaN);
  for (let t = 0; t < T; t++) {
    for (let j = firstVisible(positionOf(t), W); j <= positionOf(t); j++) {
      for (const kind of [0, 1] as const) {
        for (let g = 0; g < G; g++) {
          const row = rowAt(size, sequenceOf(t), kind, g, j);
          if (Number.isNaN(cache[row])) cache.fill(0, row, row + storedHead(d));
          for (let i = 0; i < d; i++) cache[row + i] = uniform();
        }
      }
    }
  }
  return cache;
}
