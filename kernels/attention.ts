import { partialLength, partKeys, usedParts } from "./attention-parts.ts";
import { type CacheFormat, vectors } from "./cache-formats/cache-format.ts";
import type { AttentionCall } from "./cpu/attention.ts";
import { padded } from "./formats/format.ts";
import type { Cost, Kernel } from "./kernel.ts";
import {
  attend,
  decodeRows,
  firstVisible,
  type RingSize,
  referenceAttention,
  ringBindings,
  ringConstants,
  ringContents,
  storeNewest,
} from "./ring.ts";
import attended from "./snippets/attended.wgsl?raw";
import parts from "./snippets/parts.wgsl?raw";
import ring from "./snippets/ring.wgsl?raw";
import softmaxBlock from "./snippets/softmax-block.wgsl?raw";
import storeNewestSource from "./snippets/store-newest.wgsl?raw";
import { tunedShader } from "./tuned-shader.ts";

/** T tokens, each of a sequence of its own. */
export interface AttentionSize extends RingSize {
  /** Parts that the keys of a query are split into. More than one needs attention_combine. */
  SPLITS: number;
}

/**
 * Query heads per workgroup: the heads of a key/value head are spread evenly over as few workgroups as 16 KiB
 * of workgroup memory allow.
 */
function headsPerWorkgroup({ H, G, d }: Pick<RingSize, "H" | "G" | "d">): number {
  const max = Math.max(1, Math.min(8, Math.floor(256 / vectors(d))));
  return Math.ceil(H / G / Math.ceil(H / G / max));
}

/** A workgroup is one subgroup of most GPUs. LANES threads share a key. */
const THREADS = 32;
const LANES = 4;

/**
 * Registers of a thread: the scores of 4 KEYS4 keys, and COLUMNS vec4f of the sum of values, for every head
 * of the workgroup. Larger numbers save reads of queries and weights, and take more registers.
 */
function tile(size: Pick<RingSize, "H" | "G" | "d">): { KEYS4: number; COLUMNS: number } {
  return {
    KEYS4: headsPerWorkgroup(size) > 4 ? 2 : 4,
    COLUMNS: Math.max(2, Math.ceil(vectors(size.d) / THREADS)),
  };
}

/** Keys of a block. */
const block = (size: RingSize): number => (4 * tile(size).KEYS4 * THREADS) / LANES;

/**
 * Unrolled steps of the loops: many reads start before the first sum waits for one. They divide the loops
 * evenly.
 */
function steps(size: RingSize): Record<string, number> {
  const together = (all: number, stride: number) => [4, 2].find((n) => all % (n * stride) === 0) ?? 1;
  const blocks4 = block(size) / 4;
  const columnStep = Math.ceil(vectors(size.d) / tile(size).COLUMNS);
  const keyGroups = Math.min(Math.floor(THREADS / columnStep), blocks4);
  return {
    SCORE_STEPS: together(vectors(size.d), LANES),
    COLUMN_STEP: columnStep,
    KEY_GROUPS: keyGroups,
    VALUE_STEPS: together(blocks4, keyGroups),
  };
}

/**
 * The work of a decode step's attention, with so many workgroups a key/value head: each reads the keys and
 * values of its group, and has stored the newest before.
 */
export const decodeCost =
  (headBlocks: (size: AttentionSize) => number) =>
  (size: AttentionSize, position: number): Cost => {
    const keys = size.T * Math.min(position + 1, size.W);
    return {
      flops: 4 * size.H * size.d * keys,
      passes: {
        cache: (headBlocks(size) * (keys + size.T)) / (size.B * size.S),
        out: usedParts(size, position),
      },
    };
  };

const headBlocks = ({ H, G, d }: Pick<RingSize, "H" | "G" | "d">): number =>
  Math.ceil(H / G / headsPerWorkgroup({ H, G, d }));

const SIZES: readonly AttentionSize[] = [
  { T: 1, B: 1, H: 1, G: 1, d: 2, S: 5, W: 1, SPLITS: 1, positions: [38] },
  { T: 3, B: 3, H: 6, G: 2, d: 6, S: 13, W: 7, SPLITS: 1, positions: [0, 5, 68] },
  { T: 2, B: 3, H: 4, G: 4, d: 2, S: 141, W: 128, SPLITS: 1, positions: [708, 16_000_001] },
  { T: 2, B: 2, H: 32, G: 1, d: 128, S: 150, W: 128, SPLITS: 1, positions: [127, 753] },
  { T: 1, B: 1, H: 20, G: 2, d: 256, S: 301, W: 299, SPLITS: 1, positions: [16_000_000] },
  { T: 1, B: 1, H: 9, G: 1, d: 80, S: 70, W: 0xffffffff, SPLITS: 1, positions: [64] },
  { T: 3, B: 3, H: 14, G: 2, d: 32, S: 700, W: 0xffffffff, SPLITS: 4, positions: [1, 128, 699] },
  { T: 1, B: 1, H: 32, G: 8, d: 128, S: 1100, W: 1000, SPLITS: 5, positions: [15_999_999] },
  { T: 1, B: 1, H: 4, G: 2, d: 256, S: 7, W: 7, SPLITS: 2, positions: [38] },
];

/**
 * f32 has all corner cases; the packed formats have partial groups, two workgroups per key/value head, split
 * keys.
 */
export const attentionSizes = ({ name }: CacheFormat): readonly AttentionSize[] =>
  name === "f32"
    ? SIZES
    : [
        { T: 1, B: 1, H: 9, G: 1, d: 80, S: 70, W: 0xffffffff, SPLITS: 1, positions: [64] },
        { T: 3, B: 3, H: 6, G: 2, d: 6, S: 400, W: 400, SPLITS: 3, positions: [0, 128, 2003] },
      ];

/** What every kernel needs that splits the keys and shares them in a workgroup. */
export const decodeSnippets = [
  tunedShader("ownKeys"),
  attended,
  parts,
  ring,
  storeNewestSource,
  softmaxBlock,
] as const;

/**
 * Decode: one token of each of T sequences. Stores its key and value in the ring, then attends to the ring.
 * Online softmax after Milakov and Gimelshein 2018, heads of a group together as in Ainslie et al. 2023
 * (GQA), keys split as in Flash-Decoding (Dao et al. 2023).
 */
export const attention = (format: CacheFormat): Kernel<AttentionSize> => ({
  name: "attention",
  variant: format.name,
  source: [tunedShader("attention"), ...decodeSnippets, format.source, ...format.writer],
  testSizes: attentionSizes(format),
  cpu: { op: "attention", format: format.name, stores: true } satisfies AttentionCall,
  bindings: (size) => [
    ...ringBindings(format, size, true),
    {
      name: "out",
      slot: 3,
      type: "f32",
      length: size.SPLITS > 1 ? partialLength(size) : size.T * padded(size.H * size.d),
      writes: true,
    },
  ],
  constants: (size) => ({ ...ringConstants(size), UNITS: format.units(size.d), SPLITS: size.SPLITS }),
  prelude: (size) => ({
    HEADS: headsPerWorkgroup(size),
    QUERY_LENGTH: headsPerWorkgroup(size) * vectors(size.d),
    THREADS,
    LANES,
    ...tile(size),
    ...steps(size),
  }),
  workgroups: (size) => [size.G * headBlocks(size), size.SPLITS, size.T],
  cost: decodeCost(headBlocks),
  fill: (size, name, random) => ringContents(format, size, name, random, decodeRows(size)),
  reference(size, qkv, cache, rows, out) {
    const { T, H, d, W, SPLITS } = size;
    const buffers = [qkv, cache, rows];
    for (let t = 0; t < T; t++) storeNewest(format, size, buffers, t);
    if (SPLITS === 1) return referenceAttention(format, size, buffers, out!);
    for (let t = 0; t < T; t++) {
      const end = rows[4 * t + 1]! + 1;
      const first = firstVisible(end - 1, W);
      const keys = partKeys(end - first, SPLITS);
      for (let h = 0; h < H; h++) {
        for (let part = 0; first + part * keys < end; part++) {
          const from = first + part * keys;
          const { largest, sum, values } = attend(
            format,
            size,
            buffers,
            t,
            h,
            from,
            Math.min(end, from + keys),
          );
          out!.set([largest, sum, ...values], ((t * H + h) * SPLITS + part) * (2 + d));
        }
      }
    }
  },
});
