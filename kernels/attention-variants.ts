import { type AttentionSize, attention } from "./attention.ts";
import { type AttentionLaneSize, attentionLane } from "./attention-lane.ts";
import { attentionTeams } from "./attention-teams.ts";
import { attentionTile } from "./attention-tile.ts";
import type { CacheFormat } from "./cache-formats/cache-format.ts";
import type { Kernel, Requirements } from "./kernel.ts";

/** Variants of attention; docs/design/kernels.md has a table. */
export type AttentionVariant = "workgroup" | "teams" | "lane";

type Decode = Kernel<AttentionSize & AttentionLaneSize>;

interface Variant extends Requirements {
  /** Stores the newest key and value of each sequence, then attends to the ring. */
  readonly decode: (format: CacheFormat, d: number) => Decode;
  /** Attends to a ring that holds the keys and values of the pass already. */
  readonly prefill: (format: CacheFormat) => Kernel<AttentionLaneSize>;
  /** Whether `decode` can split the keys of a query into SPLITS parts, for attention_combine. */
  readonly splits: boolean;
}

/** Ways to split the work of attention over threads. */
export const attentionVariants: Readonly<Record<AttentionVariant, Variant>> = {
  /** For GPUs: the threads of a workgroup share the keys that they read. */
  workgroup: {
    decode: (format) => attention(format) as Decode,
    prefill: attentionTile as Variant["prefill"],
    splits: true,
  },
  /** For GPUs: four teams of threads a workgroup, each with keys of its own. Prefill as `workgroup`. */
  teams: {
    decode: (format, d) => attentionTeams(format, d) as Decode,
    prefill: attentionTile as Variant["prefill"],
    splits: true,
  },
  /** For software drivers: a thread per query head, no barrier. */
  lane: { decode: (format) => attentionLane(format) as Decode, prefill: attentionLane, splits: false },
};
