import { attention } from "./attention.ts";
import source from "./attention-lane.wgsl?raw";
import { attentionTile } from "./attention-tile.ts";
import { padded } from "./formats/format.ts";
import type { Kernel } from "./kernel.ts";
import { type RingSize, referenceAttention, ringBindings, ringConstants, ringContents } from "./ring.ts";
import { storedHead } from "./rope.ts";
import cacheF32 from "./snippets/cache-f32.wgsl?raw";
import ring from "./snippets/ring.wgsl?raw";

const THREADS = 8;

/** Attention of decode and prefill for software drivers: what attention and attention_tile do, without barriers. */
export const attentionLane: Kernel<RingSize> = {
  name: "attention_lane",
  source: [source, ring, cacheF32],
  // Where attention_tile is tested: consecutive rows of one sequence; and decode's rows of several sequences.
  testSizes: [...attentionTile.testSizes, ...attention.testSizes.filter(({ SPLITS }) => SPLITS === 1)],
  bindings: (size) => [
    ...ringBindings(size),
    { name: "out", slot: 3, type: "f32", length: size.T * padded(size.H * size.d), writes: true },
  ],
  constants: ringConstants,
  prelude: ({ d }) => ({ COLUMNS: storedHead(d) / 4 }),
  workgroups: ({ T, H }) => [Math.ceil(H / THREADS), T],
  fill: (size, name, random) =>
    "SPLITS" in size
      ? ringContents(size, name, random, [(t) => size.B - 1 - t, (t) => size.positions?.[t] ?? 0])
      : ringContents(size, name, random, [() => size.B - 1, (t) => (size.positions?.[0] ?? 0) + t]),
  reference(size, q, cache, rows, out) {
    referenceAttention(size, [q!, cache!, rows!], out!);
  },
};
