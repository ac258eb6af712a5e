import { type AttentionSize, attention } from "./attention.ts";
import { type AttentionLaneSize, attentionLane } from "./attention-lane.ts";
import { attentionTile } from "./attention-tile.ts";
import type { CacheFormat } from "./cache-formats/cache-format.ts";
import type { Kernel, Requirements } from "./kernel.ts";

/** Variants of attention; docs/design/kernels.md has a table. */
export type AttentionVariant = "workgroup" | "lane";

interface Variant extends Requirements {
  /** Stores the newest key and value of each sequence, then attends to the ring. */
  readonly decode: (format: CacheFormat) => Kernel<AttentionSize & AttentionLaneSize>;
  /** Attends to a ring that holds the keys and values of the pass already. */
  readonly prefill: (format: CacheFormat) => Kernel<AttentionLaneSize>;
  /** Whether `decode` can split the keys of a query into SPLITS parts, for attention_combine. */
  readonly splits: boolean;
}

/** Ways to split the work of attention over threads. */
export const attentionVariants: Readonly<Record<AttentionVariant, Variant>> = {
  /** For GPUs: the threads of a workgroup share the keys that they read. */
  workgroup: {
    decode: attention as Variant["decode"],
    prefill: attentionTile as Variant["prefill"],
    splits: true,
  },
  /** For software drivers: a thread per query head, no barrier. */
  lane: { decode: attentionLane as Variant["decode"], prefill: attentionLane, splits: false },
};
