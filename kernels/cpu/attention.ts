import { partKeys } from "../attention-parts.ts";
import type { CacheFormatName } from "../cache-formats/cache-format.ts";
import { cacheLayouts } from "../cache-formats/layouts.ts";
import { padded } from "../formats/table.ts";
import { firstVisible, qkvStride, type RingSize, rowOf } from "../ring.ts";
import { type HeadGroup, headGroup } from "./head-group.ts";
import type { Operand, Operation, Phase, Thread } from "./operation.ts";

export type AttentionCall = {
  readonly op: "attention";
  readonly format: CacheFormatName;
  /** Decode: the key and value of each token are stored first. Default: `store` of the size. */
  readonly stores?: boolean;
};

export type AttentionOperationSize = RingSize & { readonly SPLITS?: number; readonly store?: boolean };

/** Rows, heads of tokens, that are computed together in prefill: their sums stay in a core's cache. */
const ROWS = 64;

/** Every kernel of attention: their results do not depend on how a GPU splits the work. */
export const attention: Operation<AttentionCall, AttentionOperationSize> = (
  { format, stores },
  size,
  operands,
  thread,
) =>
  (stores ?? size.store) ? decode(format, size, operands, thread) : prefill(format, size, operands, thread);

/**
 * T tokens of sequences of their own. A part of the keys of a group's heads is computed at a time. The parts
 * that have keys are spread evenly over the items.
 */
function decode(
  format: CacheFormatName,
  size: AttentionOperationSize,
  operands: readonly Operand[],
  thread: Thread,
): readonly Phase[] {
  const { T, H, G, d, W, SPLITS = 1 } = size;
  const [qkv, cache, rows, out] = operands as [Operand, Operand, Operand, Operand];
  const group = headGroup(format, size, operands, thread, 1);
  const heads = H / G;
  const items = T * G * SPLITS;
  const layout = cacheLayouts[format];
  const stored = layout.name === "f32" ? "f32" : "u32";
  const entries = new Float32Array(d);

  const positionOf = (t: number): number => rows.u32[4 * t + 1]!;
  const visibleOf = (t: number): number => Math.min(positionOf(t) + 1, W);
  const keysOf = (t: number): number => (SPLITS === 1 ? visibleOf(t) : partKeys(visibleOf(t), SPLITS));
  const partsOf = (t: number): number => Math.ceil(visibleOf(t) / keysOf(t));

  const store = (t: number, head: number): void => {
    const from = t * qkvStride(size) + (H + head) * d;
    for (let i = 0; i < d; i++) entries[i] = qkv.f32[from + i]!;
    layout.store(cache[stored], rowOf(size, rows.u32[4 * t + 2]!, head, positionOf(t)), entries);
  };

  const computePart = (t: number, g: number, part: number): void => {
    const past = positionOf(t) + 1;
    const first = firstVisible(positionOf(t), W) + part * keysOf(t);
    const end = Math.min(past, first + keysOf(t));
    if (end === past) {
      store(t, g);
      store(t, G + g);
    }
    group.load(t, 1, g);
    group.attend(first, end);
    for (let m = 0; m < heads; m++) {
      const h = g * heads + m;
      if (SPLITS === 1) writeAttended(group, m, out.f32, t * padded(H * d) + h * d, d);
      else writePart(group, m, out.f32, ((t * H + h) * SPLITS + part) * (2 + d), d);
    }
  };

  return [
    {
      items,
      run(first, end) {
        let used = 0;
        for (let t = 0; t < T; t++) used += G * partsOf(t);
        const from = Math.floor((first * used) / items);
        const to = Math.floor((end * used) / items);
        for (let t = 0, start = 0; t < T; t++) {
          const parts = partsOf(t);
          const last = Math.min(to, start + G * parts);
          for (let i = Math.max(from, start); i < last; i++)
            computePart(t, Math.floor((i - start) / parts), (i - start) % parts);
          start += G * parts;
        }
      },
    },
  ];
}

/**
 * Consecutive tokens of one sequence, whose keys and values are in the ring. An item is a key/value head of a
 * few tokens.
 */
function prefill(
  format: CacheFormatName,
  size: AttentionOperationSize,
  operands: readonly Operand[],
  thread: Thread,
): readonly Phase[] {
  const { T, H, G, d, W } = size;
  const [, , rows, out] = operands as [Operand, Operand, Operand, Operand];
  const heads = H / G;
  const tokens = Math.max(1, Math.floor(ROWS / heads));
  const blocks = Math.ceil(T / tokens);
  const group = headGroup(format, size, operands, thread, Math.min(T, tokens));
  /** The first block, the last, the second, … : the last ones see more, and no thread should get them all. */
  const blockOf = (i: number): number => (i % 2 === 0 ? i / 2 : blocks - (i + 1) / 2);

  const compute = (block: number, g: number): void => {
    const t = block * tokens;
    const count = Math.min(tokens, T - t);
    const position = rows.u32[4 * t + 1]!;
    group.load(t, count, g);
    group.attend(position + 1 - Math.min(W, position + T), position + 1);
    for (let row = 0; row < count * heads; row++) {
      const h = g * heads + (row % heads);
      writeAttended(group, row, out.f32, (t + Math.floor(row / heads)) * padded(H * d) + h * d, d);
    }
  };

  return [
    {
      items: blocks * G,
      run(first, end) {
        for (let i = first; i < end; i++) compute(blockOf(i % blocks), Math.floor(i / blocks));
      },
    },
  ];
}

function writeAttended(group: HeadGroup, row: number, out: Float32Array, at: number, d: number): void {
  const sum = group.sumOf(row);
  for (let i = 0; i < d; i++) out[at + i] = group.valueOf(row, i) / sum;
}

/** As attention_combine reads it. */
function writePart(group: HeadGroup, row: number, out: Float32Array, at: number, d: number): void {
  out[at] = group.largestOf(row);
  out[at + 1] = group.sumOf(row);
  for (let i = 0; i < d; i++) out[at + 2 + i] = group.valueOf(row, i);
}
