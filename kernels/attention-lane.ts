import { attentionSizes } from "./attention.ts";
import source from "./attention-lane.wgsl?raw";
import { attentionTileSizes } from "./attention-tile.ts";
import { type CacheFormat, vectors } from "./cache-formats/cache-format.ts";
import type { AttentionCall } from "./cpu/attention.ts";
import { padded } from "./formats/format.ts";
import type { Kernel } from "./kernel.ts";
import {
  decodeRows,
  keysSeen,
  prefillRows,
  type RingSize,
  referenceAttention,
  ringBindings,
  ringConstants,
  ringContents,
  storeNewest,
} from "./ring.ts";
import ring from "./snippets/ring.wgsl?raw";
import storeNewestSource from "./snippets/store-newest.wgsl?raw";

const THREADS = 8;

export interface AttentionLaneSize extends RingSize {
  /**
   * Decode: store the key and value of each token in the ring first. In prefill rope_cache has stored them.
   */
  store: boolean;
}

/** Workgroups that read a key/value head. The threads of one workgroup read it together. */
function walks({ H, G }: Pick<RingSize, "H" | "G">): number {
  const groupOf = (h: number) => Math.floor(h / (H / G));
  let read = 0;
  for (let h = 0; h < H; h += THREADS) read += groupOf(Math.min(h + THREADS, H) - 1) - groupOf(h) + 1;
  return read / G;
}

/**
 * Attention for software drivers, in decode and prefill: as attention and attention_tile, without barriers.
 */
export const attentionLane = (format: CacheFormat): Kernel<AttentionLaneSize> => ({
  name: "attention_lane",
  variant: format.name,
  source: [source, ring, storeNewestSource, format.source, ...format.writer],
  // The sizes of attention_tile, consecutive tokens of one sequence; and of decode, tokens of several
  // sequences.
  testSizes: [
    ...attentionTileSizes(format).map((size) => ({ ...size, store: false })),
    ...attentionSizes(format)
      .filter(({ SPLITS }) => SPLITS === 1)
      .map(({ SPLITS: _, ...size }) => ({ ...size, store: true })),
  ],
  cpu: { op: "attention", format: format.name } satisfies AttentionCall,
  bindings: (size) => [
    ...ringBindings(format, size, size.store),
    { name: "out", slot: 3, type: "f32", length: size.T * padded(size.H * size.d), writes: true },
  ],
  constants: (size) => ({ ...ringConstants(size), UNITS: format.units(size.d), STORE: size.store ? 1 : 0 }),
  prelude: ({ d }) => ({ COLUMNS: vectors(d) }),
  workgroups: ({ T, H }) => [Math.ceil(H / THREADS), T],
  cost(size, position) {
    const keys = keysSeen(size, position);
    const stored = size.store ? size.T : 0;
    return {
      flops: 4 * size.H * size.d * keys,
      passes: { cache: (walks(size) * (keys + stored)) / (size.B * size.S) },
    };
  },
  fill: (size, name, random) =>
    ringContents(format, size, name, random, size.store ? decodeRows(size) : prefillRows(size)),
  reference(size, qkv, cache, rows, out) {
    const buffers = [qkv!, cache!, rows!];
    for (let t = 0; size.store && t < size.T; t++) storeNewest(format, size, buffers, t);
    referenceAttention(format, size, buffers, out!);
  },
});
