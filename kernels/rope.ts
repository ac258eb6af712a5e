// Rotary position embedding (Su et al. 2021), rotate-half: entries i and i + d/2 of a head rotate together.
import type { Binding, Buffer } from "./kernel.ts";
import { qkvStride } from "./ring.ts";

/** Rows of the coarse half of the angle table, and of the fine half. */
export const ANGLE_ROWS = 4096;
/** Positions of the table: ANGLE_ROWS coarse steps of ANGLE_ROWS fine ones. */
export const MAX_POSITION = ANGLE_ROWS * ANGLE_ROWS;

/** Words of the angle table for heads of width d. */
export const angleLength = (d: number): number => 2 * ANGLE_ROWS * d;

/**
 * cos and sin of position · frequency, f32 [2, ANGLE_ROWS, d/2, 2], computed in float64. First the coarse
 * positions 0, ANGLE_ROWS, 2·ANGLE_ROWS, …, then the fine positions 0 … ANGLE_ROWS − 1. The shader adds a
 * coarse and a fine angle.
 * @param frequencies radians per position, one for each of the d/2 pairs
 * @param magnitude factor of cos and sin, in the coarse half
 */
export function angleTable(frequencies: readonly number[], magnitude = 1): Float32Array<ArrayBuffer> {
  const half = frequencies.length;
  const table = new Float32Array(2 * ANGLE_ROWS * half * 2);
  for (let row = 0; row < 2 * ANGLE_ROWS; row++) {
    const position = row < ANGLE_ROWS ? row * ANGLE_ROWS : row - ANGLE_ROWS;
    for (let i = 0; i < half; i++) {
      const angle = position * frequencies[i]!;
      const factor = row < ANGLE_ROWS ? magnitude : 1;
      table[2 * (row * half + i)] = factor * Math.cos(angle);
      table[2 * (row * half + i) + 1] = factor * Math.sin(angle);
    }
  }
  return table;
}

/** The size of a kernel that rotates queries and keys. */
export interface RopeSize {
  T: number;
  H: number;
  G: number;
  d: number;
  /** Rotated queries at position p are multiplied by 1 + beta · ln(1 + ⌊p / originalMaxPositions⌋). */
  queryScale?: { readonly beta: number; readonly originalMaxPositions: number } | null;
}

export const ropeBindings = (size: RopeSize): Binding[] => [
  { name: "rows", slot: 2, type: "u32", length: size.T * 4 },
  { name: "angles", slot: 3, type: "f32", length: angleLength(size.d) },
];

export const ropeConstants = (size: RopeSize): Record<string, number> => {
  const { H, G, d, queryScale } = size;
  return {
    ...{ H, G, d, QKV_STRIDE: qkvStride(size), ANGLE_ROWS },
    ...(queryScale && { QUERY_BETA: queryScale.beta, ORIGINAL: queryScale.originalMaxPositions }),
  };
};

/** A token reads one coarse and one fine row of the angle table. */
export const anglePasses = ({ T }: Pick<RopeSize, "T">): number => T / ANGLE_ROWS;

/** Tests: radians per position of pair i. */
export const testFrequency = (i: number, d: number): number => 1e4 ** ((-2 * i) / d);

/** Tests: the position of token t. Token 16 is the first of a new row of coarse angles. */
export const testPosition = (t: number): number => 0xaaaff0 + t;

/** Tests: the scale of queries steps at token 5. */
export const TEST_SCALE = { beta: 0.1, originalMaxPositions: 0xaaaff5 / 5 };

/** Tests: consecutive tokens of one sequence, and the angles of `testFrequency`. */
export function ropeContents(size: RopeSize, name: string, sequence: number): Buffer | undefined {
  const { T, d } = size;
  if (name === "angles") return angleTable(Array.from({ length: d / 2 }, (_, i) => testFrequency(i, d)));
  if (name !== "rows") return undefined;
  return Uint32Array.from(
    { length: T * 4 },
    (_, i) => [0, testPosition(Math.floor(i / 4)), sequence, T][i % 4]!,
  );
}

/** Where a pair of entries is turned to: at a position, by an angle. */
export interface Turn {
  readonly position: number;
  readonly cos: number;
  readonly sin: number;
}

/** How pair i of token t turns: its coarse and its fine angle, added in float64. */
export function turnOf({ d }: Pick<RopeSize, "d">, rows: Buffer, angles: Buffer, t: number, i: number): Turn {
  const position = rows[4 * t + 1]!;
  const coarse = Math.floor(position / ANGLE_ROWS) * d + 2 * i;
  const fine = (ANGLE_ROWS + (position % ANGLE_ROWS)) * d + 2 * i;
  const [a, b, c, s] = [angles[coarse]!, angles[coarse + 1]!, angles[fine]!, angles[fine + 1]!];
  return { position, cos: a * c - b * s, sin: b * c + a * s };
}

/** Entries i and i + d/2 of a head (queries, then keys, then values), turned in float64. Values stay. */
export function turnedPair(
  { H, G, queryScale }: RopeSize,
  head: number,
  { position, cos, sin }: Turn,
  [a, b]: readonly [number, number],
): [number, number] {
  if (head >= H + G) return [a, b];
  const { beta, originalMaxPositions } = (head < H && queryScale) || { beta: 0, originalMaxPositions: 1 };
  const scale = 1 + beta * Math.log(1 + Math.floor(position / originalMaxPositions));
  return [scale * (a * cos - b * sin), scale * (b * cos + a * sin)];
}
