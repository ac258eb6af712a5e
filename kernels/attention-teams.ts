import { type AttentionSize, attention, decodeCost, decodeSnippets } from "./attention.ts";
import { type CacheFormat, vectors } from "./cache-formats/cache-format.ts";
import { tunedCache } from "./cache-formats/tuned-cache.ts";
import type { Kernel } from "./kernel.ts";
import { type RingSize, ringConstants } from "./ring.ts";
import { tunedShader } from "./tuned-shader.ts";

const THREADS = 128;
const TEAMS = 4;
/** Threads that share a key. */
const LANES = 4;
const TEAM = THREADS / TEAMS;

type Heads = Pick<RingSize, "H" | "G" | "d">;

/** Workgroups of a key/value head: 16 KiB of workgroup memory hold four query heads of 256 entries. */
const headBlocks = ({ H, G, d }: Heads): number =>
  Math.ceil(H / G / Math.max(1, Math.min(4, Math.floor(256 / vectors(d)))));

/** The query heads of a key/value head are spread evenly. */
const headsPerWorkgroup = (size: Heads): number => Math.ceil(size.H / size.G / headBlocks(size));

const UNLIMITED = 0xffffffff;
const SPLIT = { T: 3, B: 3, S: 400, W: 400, SPLITS: 3, positions: [0, 128, 2003] } as const;

/** f32 has all corner cases; the other formats a size for each way to read rows. */
const testSizes = (name: string): readonly AttentionSize[] =>
  ({
    f32: [
      { T: 3, B: 3, H: 6, G: 2, d: 6, S: 13, W: 7, SPLITS: 1, positions: [0, 5, 68] },
      { T: 1, B: 1, H: 5, G: 1, d: 200, S: 301, W: 299, SPLITS: 1, positions: [16_000_000] },
      { T: 3, B: 3, H: 7, G: 1, d: 32, S: 700, W: UNLIMITED, SPLITS: 4, positions: [1, 128, 699] },
      { T: 1, B: 1, H: 1, G: 1, d: 2, S: 5, W: 1, SPLITS: 1, positions: [38] },
    ],
    f16: [{ ...SPLIT, H: 6, G: 2, d: 10 }],
    f16_wide: [
      { ...SPLIT, H: 2, G: 1, d: 24 },
      { T: 1, B: 1, H: 2, G: 1, d: 80, S: 70, W: UNLIMITED, SPLITS: 1, positions: [64] },
    ],
    q8: [{ T: 1, B: 1, H: 2, G: 1, d: 80, S: 70, W: UNLIMITED, SPLITS: 1, positions: [64] }],
    q8_wide: [{ ...SPLIT, H: 4, G: 2, d: 128 }],
  })[name]!;

/**
 * Decode for GPUs, as `attention`: four teams of 32 threads a workgroup, each with its own keys. Where the
 * rows of a head of width d allow it, a thread reads 16 bytes of the cache at once.
 */
export function attentionTeams(format: CacheFormat, d: number): Kernel<AttentionSize> {
  const wide = format.wide?.fits(d) ? format.wide : undefined;
  const chunks = (width: number): number => vectors(width) / (wide?.vectors ?? 1);
  const variant = wide ? `${format.name}_wide` : format.name;
  const { bindings, ...shared } = attention(format);
  return {
    ...shared,
    bindings,
    name: "attention_teams",
    variant,
    source: [
      tunedShader("attentionTeams"),
      ...decodeSnippets,
      ...(wide ? wide.source : [format.source, ...format.writer, tunedCache("chunk")]),
    ],
    testSizes: testSizes(variant),
    constants: (size) => ({
      ...ringConstants(size),
      UNITS: (wide ?? format).units(size.d),
      SPLITS: size.SPLITS,
    }),
    prelude: (size) => {
      const columns = Math.ceil(chunks(size.d) / TEAM);
      const columnStep = Math.ceil(chunks(size.d) / columns);
      const heads = headsPerWorkgroup(size);
      return {
        HEADS: heads,
        QUERY_LENGTH: heads * vectors(size.d),
        CHUNKS: chunks(size.d),
        THREADS,
        TEAMS,
        LANES,
        COLUMNS: columns,
        COLUMN_STEP: columnStep,
        KEY_GROUPS: Math.min(Math.floor(TEAM / columnStep), TEAM / LANES),
      };
    },
    workgroups: (size) => [size.G * headBlocks(size), size.SPLITS, size.T],
    cost: decodeCost(headBlocks),
  };
}
