// Ways to split the work of the matrix-vector kernels over threads. All give the same sums up to rounding.
// Which is fastest depends on the adapter and the shape: the engine's tuner measures them.
import { type Addend, addendSource } from "./addend.ts";
import type { Rounding, WeightFormat } from "./formats/format.ts";
import type { Kernel, Requirements, ShaderFile } from "./kernel.ts";
import dotRows from "./snippets/dot-rows.wgsl?raw";
import dot8 from "./snippets/dot8.wgsl?raw";
import elementNorm from "./snippets/element-norm.wgsl?raw";
import elementPlain from "./snippets/element-plain.wgsl?raw";
import inputNorm from "./snippets/input-norm.wgsl?raw";
import inputPlain from "./snippets/input-plain.wgsl?raw";
import lane from "./snippets/team-lane.wgsl?raw";
import workgroup from "./snippets/team-workgroup.wgsl?raw";
import tokenBlock from "./snippets/token-block.wgsl?raw";
import { tunedShader } from "./tuned-shader.ts";

/**
 * The threads that add up a dot product. `workgroup`: a whole workgroup reads a row together, for GPUs.
 * `warp`: 32 threads do, and teams of a workgroup share the input. `lane`: every thread reads rows of its
 * own, for software drivers, whose barriers cost more than scattered reads.
 */
type Team = "workgroup" | "warp" | "lane";

interface Variant extends Requirements, Rounding {
  readonly team: Team;
  /** Threads of a workgroup. */
  readonly threads: number;
  /** WGSL that adds up: in workgroup memory, by subgroups, or in a thread's registers. */
  readonly sums: ShaderFile;
  /** Columns that a thread reads at a time, or the read of a format that decides it. */
  readonly columns: 8 | 32 | "stream" | "int8";
  /** The lanes of a subgroup of this size each read a part of the input and broadcast it. */
  readonly subgroupSize?: 4 | 8;
}

const requires = ["subgroups"] as const;
const subgroup = tunedShader("teamSubgroup");
const warp = tunedShader("teamWarp");

const variants = {
  /** Runs everywhere. */
  workgroup: { team: "workgroup", threads: 64, sums: workgroup, columns: 8 },
  workgroup_wide: { team: "workgroup", threads: 32, sums: workgroup, columns: 32 },
  subgroup: { team: "workgroup", threads: 64, sums: subgroup, columns: 8, requires },
  subgroup_wide: { team: "workgroup", threads: 32, sums: subgroup, columns: 32, requires },
  stream: { team: "warp", threads: 128, sums: warp, columns: "stream" },
  stream_int8: { team: "warp", threads: 128, sums: warp, columns: "int8", rounds: "int8" },
  lane: { team: "lane", threads: 64, sums: lane, columns: 8 },
  lane_wide: { team: "lane", threads: 64, sums: lane, columns: 32 },
  lane_broadcast4: { team: "lane", threads: 64, sums: lane, columns: 32, requires, subgroupSize: 4 },
  lane_broadcast8: { team: "lane", threads: 64, sums: lane, columns: 32, requires, subgroupSize: 8 },
} satisfies Record<string, Variant>;

/** Variants of a matrix times one token per sequence; docs/design/kernels.md has a table. */
export type MatvecVariant = keyof typeof variants;

export const matvecVariants: Readonly<Record<MatvecVariant, Variant>> = variants;

/** Weight rows that a team computes together, as in snippets/dot-rows.wgsl. */
export const ROWS_PER_TEAM = 4;

/** The tokens of a pass, and how they are split into blocks. */
export interface TokenBlocks {
  T: number;
  /**
   * Tokens that a team computes together, reading each weight once: 1, 2, 4 or 8. Default 1. It does not
   * change a bit of any token's result. If a pass has fewer tokens than it was prepared for, the rest of its
   * last block is computed and written too.
   */
  tokensPerBlock?: 1 | 2 | 4 | 8;
}

const blocks = ({ T, tokensPerBlock = 1 }: TokenBlocks): number => Math.ceil(T / tokensPerBlock);

/** Workgroups for a number of teams per block of tokens. */
export function teamGroups(teams: number, size: TokenBlocks, name: MatvecVariant): [x: number, y: number] {
  const { team, threads } = matvecVariants[name];
  const ofWorkgroup = { workgroup: 1, warp: threads / 32, lane: threads };
  return [Math.ceil(teams / ofWorkgroup[team]), blocks(size)];
}

/** The pipeline depends on the number of tokens only if the last block is not full. */
export const blockConstants = ({ T, tokensPerBlock = 1 }: TokenBlocks): Record<string, number> =>
  T % tokensPerBlock === 0 ? {} : { LAST_TOKEN: T - 1 };

/** Every block of tokens reads all weights. */
export const weightPasses = (size: TokenBlocks) => ({ weight: blocks(size), scale: blocks(size) });

/** The parts of a kernel that its variant decides. `own`: the WGSL files of the kernel itself. */
export function variantParts(
  format: WeightFormat,
  name: MatvecVariant,
  input: "plain" | "norm",
  own: readonly string[],
  addend: Addend = "none",
): Pick<
  Kernel<TokenBlocks>,
  "variant" | "source" | "prelude" | "requires" | "subgroupSize" | "quantizedInput"
> {
  const variant = matvecVariants[name];
  const { threads, sums, columns, requires, subgroupSize, rounds } = variant;
  const read = {
    8: [dotRows, dot8, ...format.source],
    32: [tunedShader("dotRowsWide"), dot8, tunedShader("dot32"), ...format.wide],
    stream: [tunedShader("stream"), dot8, ...format.stream],
    int8: [tunedShader("streamInt8"), tunedShader("dot16"), ...(format.int8 ? [format.int8.source] : [])],
  }[columns];
  const elements = input === "norm" ? elementNorm : elementPlain;
  const eights = input === "norm" ? inputNorm : inputPlain;
  const wide = subgroupSize ? [tunedShader("broadcast"), elements] : [eights, tunedShader("inputWide")];
  const inputs = { 8: [eights], 32: wide, stream: [eights], int8: [] }[columns];
  return {
    variant: [format.name, name, ...(addend === "none" ? [] : [addend])].join("_"),
    source: [...own, addendSource(addend), tokenBlock, sums, ...read, ...inputs],
    prelude: ({ tokensPerBlock = 1 }) => ({
      THREADS: threads,
      TOKENS: tokensPerBlock,
      ...(subgroupSize && { SUBGROUP: subgroupSize }),
    }),
    ...(rounds && format.int8 && { quantizedInput: format.int8.order }),
    ...(requires && { requires }),
    ...(subgroupSize && { subgroupSize }),
  };
}
