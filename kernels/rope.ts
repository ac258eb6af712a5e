// Rotary position embedding (Su et al. 2021), rotate-half: entries i and i + d/2 of a head turn together.
import { padded } from "./formats/format.ts";
import type { Binding, Buffer } from "./kernel.ts";

/** Rows of the coarse and of the fine half of the angle table. */
export const ANGLE_ROWS = 4096;
/** Positions the table reaches: ANGLE_ROWS coarse steps of ANGLE_ROWS fine ones. */
export const MAX_POSITION = ANGLE_ROWS * ANGLE_ROWS;

/** Words of the angle table of heads of width d. */
export const angleLength = (d: number): number => 2 * ANGLE_ROWS * d;

/**
 * cos and sin of position · frequency, f32 [2, ANGLE_ROWS, d/2, 2], made in float64: first the coarse positions
 * 0, ANGLE_ROWS, 2·ANGLE_ROWS, …, then the fine positions 0 … ANGLE_ROWS − 1. The shader adds one angle of each.
 * @param frequencies radians a position, one for each of the d/2 pairs
 */
export function angleTable(frequencies: readonly number[]): Float32Array<ArrayBuffer> {
  const half = frequencies.length;
  const table = new Float32Array(2 * ANGLE_ROWS * half * 2);
  for (let row = 0; row < 2 * ANGLE_ROWS; row++) {
    const position = row < ANGLE_ROWS ? row * ANGLE_ROWS : row - ANGLE_ROWS;
    for (let i = 0; i < half; i++) {
      const angle = position * frequencies[i]!;
      table[2 * (row * half + i)] = Math.cos(angle);
      table[2 * (row * half + i) + 1] = Math.sin(angle);
    }
  }
  return table;
}

/** What a kernel that rotates and writes queries, keys and values needs to know. */
export interface RopeSize {
  T: number;
  /** Sequences the cache holds. */
  B: number;
  H: number;
  G: number;
  d: number;
  S: number;
}

/** Stored width of a head in the cache. */
export const storedHead = (d: number): number => Math.ceil(d / 4) * 4;

export const cacheLength = ({ B, G, S, d }: Omit<RopeSize, "T" | "H">): number =>
  B * 2 * G * S * storedHead(d);

export const ropeBindings = (size: RopeSize): Binding[] => [
  { name: "rows", slot: 2, type: "u32", length: size.T * 4 },
  { name: "angles", slot: 3, type: "f32", length: angleLength(size.d) },
  { name: "q", slot: 4, type: "f32", length: size.T * padded(size.H * size.d), writes: true },
  { name: "cache", slot: 5, type: "f32", length: cacheLength(size), writes: true },
];

export const ropeConstants = ({ H, G, d, S }: RopeSize): Record<string, number> => ({
  H,
  G,
  d,
  d_STORED: storedHead(d),
  S,
  Q_STRIDE: padded(H * d),
  ANGLE_ROWS,
});

/** Rows of one sequence each, at positions of every magnitude; no two write the same slot. */
export function ropeContents(size: RopeSize, name: string, random: () => number): Buffer | undefined {
  if (name === "angles")
    return angleTable(Array.from({ length: size.d / 2 }, (_, i) => 1e4 ** ((-2 * i) / size.d)));
  if (name !== "rows") return undefined;
  const start = random() % (MAX_POSITION - size.T);
  return Uint32Array.from(
    { length: size.T * 4 },
    (_, i) => [0, start + Math.floor(i / 4), size.B - 1, size.T][i % 4]!,
  );
}

/** Entries i and i + d/2 of a head (queries, then keys, then values) of token t, rotated in float64 and written. */
export function referencePair(
  { H, G, d, S }: RopeSize,
  [rows, q, cache]: readonly [Buffer, Buffer, Buffer],
  [t, head, i]: readonly [number, number, number],
  frequency: number,
  [a, b]: readonly [number, number],
): void {
  const [position, sequence] = [rows[4 * t + 1]!, rows[4 * t + 2]!];
  const angle = head < H + G ? position * frequency : 0;
  const turned = [
    a * Math.cos(angle) - b * Math.sin(angle),
    b * Math.cos(angle) + a * Math.sin(angle),
  ] as const;
  const target = head < H ? q : cache;
  const at =
    head < H
      ? t * padded(H * d) + head * d + i
      : ((sequence * 2 * G + head - H) * S + (position % S)) * storedHead(d) + i;
  target[at] = turned[0];
  target[at + d / 2] = turned[1];
}
