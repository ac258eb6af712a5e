import source from "./attention-tile.wgsl?raw";
import { type CacheFormat, vectors } from "./cache-formats/cache-format.ts";
import type { AttentionCall } from "./cpu/attention.ts";
import { padded } from "./formats/format.ts";
import type { Kernel } from "./kernel.ts";
import {
  firstVisible,
  keysSeen,
  prefillRows,
  type RingSize,
  referenceAttention,
  ringBindings,
  ringConstants,
  ringContents,
} from "./ring.ts";
import ring from "./snippets/ring.wgsl?raw";
import softmaxBlock from "./snippets/softmax-block.wgsl?raw";

const THREADS = 128;

/** Query rows of a workgroup. Fewer for wide rows: the sums of a thread must fit its registers. */
const tileRows = (d: number): number => (d > 128 ? 16 : 32);

/** Rows whose values a thread sums: enough for the threads to cover all rows and columns of a tile. */
const valueRows = (d: number): number =>
  Math.ceil(tileRows(d) / Math.min(tileRows(d), Math.floor(THREADS / vectors(d))));

const SIZES: readonly RingSize[] = [
  { T: 1, B: 1, H: 1, G: 1, d: 2, S: 5, W: 5, positions: [0] },
  { T: 7, B: 2, H: 6, G: 2, d: 6, S: 13, W: 7, positions: [65] },
  { T: 33, B: 1, H: 4, G: 4, d: 2, S: 40, W: 1, positions: [0] },
  { T: 70, B: 2, H: 6, G: 2, d: 6, S: 199, W: 128, positions: [998] },
  { T: 40, B: 3, H: 8, G: 2, d: 32, S: 141, W: 0xffffffff, positions: [97] },
  { T: 5, B: 1, H: 32, G: 1, d: 128, S: 140, W: 128, positions: [15_999_990] },
  { T: 9, B: 1, H: 4, G: 2, d: 256, S: 301, W: 200, positions: [1508] },
  { T: 11, B: 1, H: 3, G: 1, d: 96, S: 90, W: 0xffffffff, positions: [60] },
  { T: 67, B: 1, H: 1, G: 1, d: 200, S: 74, W: 7, positions: [370] },
];

/** f32 has all corner cases; the packed formats have partial groups. */
export const attentionTileSizes = ({ name }: CacheFormat): readonly RingSize[] =>
  name === "f32"
    ? SIZES
    : [
        { T: 7, B: 2, H: 6, G: 2, d: 6, S: 13, W: 7, positions: [65] },
        { T: 11, B: 1, H: 3, G: 1, d: 80, S: 90, W: 0xffffffff, positions: [60] },
      ];

/**
 * Prefill: T tokens of one sequence at consecutive positions. Their keys and values are in the ring already,
 * and rows[0].w is T. Tiles after FlashAttention (Dao et al. 2022); skips blocks of keys that no row of a
 * tile sees.
 */
export const attentionTile = (format: CacheFormat): Kernel<RingSize> => ({
  name: "attention_tile",
  variant: format.name,
  source: [source, ring, softmaxBlock, format.reader],
  testSizes: attentionTileSizes(format),
  cpu: { op: "attention", format: format.name, stores: false } satisfies AttentionCall,
  bindings: (size) => [
    ...ringBindings(format, size, false),
    { name: "out", slot: 3, type: "f32", length: size.T * padded(size.H * size.d), writes: true },
  ],
  constants: ringConstants,
  prelude: ({ d }) => ({ THREADS, ROWS: tileRows(d), VALUE_ROWS: valueRows(d) }),
  workgroups: ({ T, H, G, d }) => [Math.ceil((T * H) / G / tileRows(d)), G],
  // A tile reads the keys and values from the first that its first row sees to its last row.
  cost(size, position) {
    const { T, B, H, G, d, S, W } = size;
    const start = position - T + 1;
    let keys = 0;
    for (let row = 0; row < (T * H) / G; row += tileRows(d)) {
      const [first, last] = [row, Math.min(row + tileRows(d), (T * H) / G) - 1].map((r) =>
        Math.floor(r / (H / G)),
      ) as [number, number];
      keys += start + last + 1 - firstVisible(start + first, W);
    }
    return { flops: 4 * H * d * keysSeen(size, position), passes: { cache: keys / (B * S) } };
  },
  fill: (size, name, random) => ringContents(format, size, name, random, prefillRows(size)),
  reference(size, qkv, cache, rows, out) {
    referenceAttention(format, size, [qkv, cache, rows], out);
  },
});
