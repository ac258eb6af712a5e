// How a decode step splits the keys that a query sees into parts, which different workgroups read: as
// snippets/parts.wgsl.
import type { RingSize } from "./ring.ts";

/** Up to so many keys are one part: a second launch to combine parts would cost more than they save. */
const ONE_PART = 256;
/** Larger parts have a multiple of this many keys. */
const PART_STEP = 128;

/** Parts are split no further: attention_combine reads them one after the other. */
const MAX_SPLITS = 128;
/** Workgroups that keep a large GPU busy. */
const WORKGROUPS = 1024;

/** The most keys that a query can see. */
const mostKeys = ({ S, W }: Pick<RingSize, "S" | "W">): number => Math.min(S, W);

/** Parts of a full ring. 1 if attention never needs to be split. */
export function attentionSplits({ G, S, W }: Pick<RingSize, "G" | "S" | "W">): number {
  const visible = mostKeys({ S, W });
  if (visible <= ONE_PART) return 1;
  return Math.min(Math.ceil(visible / PART_STEP), Math.ceil(WORKGROUPS / G), MAX_SPLITS);
}

/** Whether the query at a position sees so few keys that they are one part, for any number of splits. */
export const seesOnePart = (position: number, W: number): boolean => Math.min(position + 1, W) <= ONE_PART;

/** Keys of a part. */
export const partKeys = (visible: number, SPLITS: number): number =>
  visible <= ONE_PART ? ONE_PART : Math.ceil(visible / (PART_STEP * SPLITS)) * PART_STEP;

/** The share of `partial` that is written, and read again, for queries at a position. */
export function usedParts({ W, SPLITS }: { W: number; SPLITS: number }, position: number): number {
  const visible = Math.min(position + 1, W);
  return Math.ceil(visible / partKeys(visible, SPLITS)) / SPLITS;
}

/** Length of f32 [T, H, SPLITS, 2 + d]: largest score, sum of exp(score − largest), values weighted by it. */
export const partialLength = ({
  T,
  H,
  d,
  SPLITS,
}: Pick<RingSize, "T" | "H" | "d"> & { SPLITS: number }): number => T * H * SPLITS * (2 + d);
