// The query heads that share a key/value head, of one token or of consecutive ones: each key and value is
// read once for all of them. Queries, scores, sums and a block of keys or values are in scratch, where
// compiled functions compute.
import { type CacheFormatName, vectors } from "../cache-formats/cache-format.ts";
import { cacheLayouts } from "../cache-formats/layouts.ts";
import { qkvStride, type RingSize, rowOf } from "../ring.ts";
import type { Operand, Thread } from "./operation.ts";

/**
 * Positions of a block, which begins at a multiple of them: the keys of a token are added up in the same
 * order, whichever tokens are computed with it.
 */
export const BLOCK = 64;
/** Positions that compiled functions take at once. */
const TOGETHER = 8;

/** The largest score of no keys. */
const EMPTY = -1e30;

const readers = { f32: "readF32", f16: "readF16", q8: "readQ8" } as const;

export interface HeadGroup {
  /** Takes the queries of group g of `tokens` tokens from t on. A row is a head of a token. */
  load(t: number, tokens: number, g: number): void;
  /** The scores of all rows for the positions [from, to), which are of one block. */
  score(from: number, to: number): void;
  /** Attention to all positions that are seen. The first token sees [first, end), each next one 1 further. */
  attend(first: number, end: number): void;
  /** After `score`: q · k / sqrt(d) of the position. */
  scoreOf(row: number, position: number): number;
  /** After `attend`: the largest score, the sum of exp(score − largest), and the values weighted by it. */
  largestOf(row: number): number;
  sumOf(row: number): number;
  valueOf(row: number, i: number): number;
}

/** @param most tokens that it holds at a time, at most */
export function headGroup(
  format: CacheFormatName,
  size: RingSize,
  [qkv, cache, rows]: readonly Operand[],
  { compiled, heap, scratch }: Thread,
  most: number,
): HeadGroup {
  const { H, G, d, S } = size;
  const heads = H / G;
  const width = vectors(d);
  // A row of sums has strips of eight vectors.
  const sumWidth = 8 * Math.ceil(width / 8);
  const rowBytes = 4 * cacheLayouts[format].words(d);
  const read = compiled[readers[format]];

  // The last strip may reach past the block.
  const queryBytes = 16 * width * most * heads;
  const blockBytes = 16 * width * BLOCK + 128 * 7;
  const scoreBytes = 4 * BLOCK * most * heads;
  const sumBytes = 16 * sumWidth * most * heads;
  const stateBytes = 16 * Math.ceil((most * heads) / 2);
  const farBytes = cache!.home.isNear ? 0 : rowBytes * BLOCK;
  const queries = scratch(queryBytes + blockBytes + scoreBytes + sumBytes + stateBytes + farBytes);
  const block = queries + queryBytes;
  const scores = block + blockBytes;
  const sums = scores + scoreBytes;
  const states = sums + sumBytes;
  const copied = states + stateBytes;

  let ring = 0;
  let group = 0;
  let tokens = 0;

  /** Address of rows of the cache. Those of another heap are copied to scratch. */
  const addressOf = (row: number, count: number): number => {
    if (cache!.home.isNear) return cache!.address + row * rowBytes;
    heap.u8.set(cache!.u8.subarray(row * rowBytes, (row + count) * rowBytes), copied);
    return copied;
  };

  /** Reads positions of one block of a key (head g) or value (head G + g). Its others are zeros. */
  const readBlock = (head: number, from: number, to: number): void => {
    if (to - from < BLOCK) heap.f32.fill(0, block / 4, block / 4 + 4 * width * BLOCK);
    for (let position = from; position < to; ) {
      const row = rowOf(size, ring, head, position);
      const end = Math.min(to, position + S - (position % S));
      const first = position % BLOCK;
      const count = end - position;
      read(addressOf(row, count), rowBytes, block, first, first + count, width);
      position = end;
    }
  };

  /** Of the block of positions up to `to`. */
  const together = (to: number): number => Math.ceil((((to - 1) % BLOCK) + 1) / TOGETHER);

  const score = (from: number, to: number): void => {
    readBlock(group, from, to);
    compiled.scoreBlock(queries, block, scores, tokens * heads, together(to), width);
  };

  return {
    load(t, count, g) {
      ring = rows!.u32[4 * t + 2]!;
      group = g;
      tokens = count;
      const scale = 1 / Math.sqrt(d);
      for (let row = 0; row < tokens * heads; row++) {
        const from = (t + Math.floor(row / heads)) * qkvStride(size) + (g * heads + (row % heads)) * d;
        const to = queries / 4 + row * 4 * width;
        for (let i = 0; i < 4 * width; i++) heap.f32[to + i] = i < d ? scale * qkv!.f32[from + i]! : 0;
      }
    },
    score,
    attend(first, end) {
      const count = tokens * heads;
      heap.f32.fill(0, sums / 4, sums / 4 + 4 * sumWidth * count);
      for (let row = 0; row < count; row++) {
        heap.f32[states / 4 + 2 * row] = EMPTY;
        heap.f32[states / 4 + 2 * row + 1] = 0;
      }
      const last = end + tokens - 1;
      for (let from = Math.max(0, first); from < last; ) {
        const base = from - (from % BLOCK);
        const to = Math.min(base + BLOCK, last);
        score(from, to);
        const eights = together(to);
        compiled.softenBlock(
          ...([scores, 2 * eights, states, sums, sumWidth] as const),
          ...([count, heads, first - base, end - base] as const),
        );
        readBlock(G + group, from, to);
        compiled.addBlock(scores, block, sums, count, eights, width);
        from = to;
      }
    },
    scoreOf: (row, position) => heap.f32[scores / 4 + row * BLOCK + (position % BLOCK)]!,
    largestOf: (row) => heap.f32[states / 4 + 2 * row]!,
    sumOf: (row) => heap.f32[states / 4 + 2 * row + 1]!,
    valueOf: (row, i) => heap.f32[sums / 4 + row * 4 * sumWidth + i]!,
  };
}
