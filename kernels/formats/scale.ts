// The scales of q8 and q4: one f16 per group, two to a word. Every row begins with a new word.
import type { Buffer } from "../kernel.ts";
import { f16ToNumber } from "./half.ts";
import { GROUP } from "./table.ts";

/** u32 words of the scales of a row. */
const scaleWords = (K: number): number => Math.ceil(K / (2 * GROUP));

/** The scale of the entry at flat index i of a matrix with K columns. */
export function scaleAt(scale: Buffer, i: number, K: number): number {
  const group = Math.floor((i % K) / GROUP);
  const word = scale[Math.floor(i / K) * scaleWords(K) + (group >> 1)]!;
  return f16ToNumber((word >>> (16 * (group % 2))) & 0xffff);
}

/**
 * Stores the scale (f16 bits) of the group at row n, column k. Even groups clear the half of the next odd
 * one.
 */
export function storeScale(scales: Buffer, n: number, k: number, K: number, scale: number): void {
  const word = n * scaleWords(K) + Math.floor(k / (2 * GROUP));
  scales[word] = k % (2 * GROUP) === 0 ? scale : scales[word]! | (scale << 16);
}
