// The lists of a decode step, and which of them a step runs.
import { seesOnePart } from "../../kernels/index.ts";
import type { Dispatch } from "../gpu/dispatch.ts";
import type { Shape } from "./shape.ts";

/** The layers of a step, for rows that see few keys and for all others. The same list if none needs parts. */
export interface DecodeLists<T> {
  /** A workgroup reads all keys that a query sees. */
  readonly whole: readonly T[];
  /** The keys of a query are split into parts, which another launch combines. */
  readonly split: readonly T[];
}

/** A step: the layers, the final norm and lm_head, the sampler. */
export interface StepLists {
  readonly decode: DecodeLists<Dispatch>;
  readonly logits: readonly Dispatch[];
  readonly sample: readonly Dispatch[];
}

/** What the decoder runs, for rows without adapters or for all. */
export interface Lists {
  readonly prefill: readonly Dispatch[];
  readonly score: readonly Dispatch[];
  /** steps[n - 1] is the step of n rows, up to `parallel`. */
  readonly steps: readonly StepLists[];
}

/**
 * The layers of a step whose rows are at these positions. A row that sees few keys has the same bits in
 * either list, so its tokens do not depend on the other rows.
 */
export const decodeList = (
  { decode }: StepLists,
  { W }: Pick<Shape, "W">,
  rows: readonly { readonly position: number }[],
): readonly Dispatch[] =>
  rows.every(({ position }) => seesOnePart(position, W)) ? decode.whole : decode.split;
