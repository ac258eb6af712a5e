// What the tuner measures: the matrices of a model and attention, for either pass, what matters most first.
import {
  type AttentionVariant,
  bytesPerRow,
  type Kernel,
  type MatmulVariant,
  type MatvecSize,
  type MatvecVariant,
  matmul,
  matmulVariants,
  matvec,
  matvecVariants,
  quantizeInput,
} from "../../kernels/index.ts";
import type { KernelChoice, MatrixRole, Pass, TuningMeasurement } from "../api.ts";
import type { Buffers } from "../gpu/buffers.ts";
import type { Pipelines } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { BLOCK_SIZES, rowsOf } from "../graph/forward.ts";
import type { MainMatrix } from "../graph/layout.ts";
import type { Shape } from "../graph/shape.ts";
import { attentionContestants, matmulCandidates, matrixRoles, matvecCandidates } from "./kernel-choice.ts";
import { openAttention } from "./tune-attention.ts";
import { type MatrixCase, measuredRows, openMatrix } from "./tune-matrix.ts";
import type { Bench } from "./variant-bench.ts";

/** The parts of a model that decide which variants are fast. */
export interface Measured {
  readonly shape: Shape;
  readonly matrices: Readonly<Record<MatrixRole, MainMatrix>>;
  /** Bytes of all weights: a measurement takes no more memory. */
  readonly weightBytes: number;
}

/** How large the measured kernels are at most. */
export interface Sizes {
  /** Bytes of a matrix. 128 MiB can be bound everywhere. */
  readonly matrixBytes: number;
  /** Bytes of weights or caches that batches go round: more than the caches of a GPU hold. */
  readonly rotatedBytes: number;
  /** Tokens of a prefill pass, and outputs of a matrix for all of them. */
  readonly tokens: number;
  readonly outputs: number;
  /** Positions of a cache. */
  readonly keys: number;
}

export type Choice = {
  -readonly [K in keyof KernelChoice]: { -readonly [R in keyof KernelChoice[K]]: KernelChoice[K][R] };
};

/** Places in the choice that share a measurement, and the variants for them, the unmeasured choice first. */
export interface Slot {
  readonly pass: Pass;
  readonly roles: readonly TuningMeasurement["role"][];
  readonly variants: readonly string[];
  /** Makes the kernel's buffers. @throws DeviceError if there is no room for them */
  open(made: Buffers): Promise<Bench>;
  apply(choice: Choice, variant: string): void;
}

/**
 * The numbers of rows that steps are prepared for: of each block size the most, up to `parallel`. All run the
 * same variant, as the bits of a token must not depend on who else is in its step.
 */
export const stepRows = (parallel: number): number[] =>
  BLOCK_SIZES.filter((block) => block === 1 || block / 2 < parallel).map((block) =>
    Math.min(block, parallel),
  );

/**
 * The slots in the order of the bytes that a token reads, as the time may not suffice for all. Matrices of
 * one format and shape share a slot. qkv and gate_up are measured as a matrix-vector product of their shape:
 * they only add an epilogue.
 */
export function allSlots(gpu: Gpu, pipelines: Pipelines, measured: Measured, sizes: Sizes): Slot[] {
  const { shape, matrices, weightBytes } = measured;
  const rotatedBytes = Math.min(sizes.rotatedBytes, weightBytes);
  const bytesOf = (role: MatrixRole) => {
    const { N, K, format } = matrices[role];
    return N * bytesPerRow(format, K) * (role === "lmHead" ? 1 : shape.L);
  };
  const bySize = [...matrixRoles].sort((a, b) => bytesOf(b) - bytesOf(a));
  const opened = (matrix: MatrixCase) => (made: Buffers) => openMatrix(gpu, pipelines, made, matrix);

  const decode = (roles: readonly MatrixRole[]): Slot => {
    const [role] = roles as [MatrixRole];
    const { format, K } = matrices[role];
    const N = measuredRows(matrices[role], sizes.matrixBytes);
    const variants = defaultFirst(shape.kernels.matvec[role], matvecCandidates(gpu.adapter, format), (name) =>
      rounds(matvecVariants[name]),
    );
    const normed = isNormed(role);
    const input = normed ? "norm" : "plain";
    const kernels = (variant: string, rows: number) => {
      const tokensPerBlock = BLOCK_SIZES.find((block) => block >= rows)!;
      const size = { T: rowsOf(shape, tokensPerBlock), tokensPerBlock, N, K };
      return withInput(matvec(format, variant as MatvecVariant, input), size, input);
    };
    return {
      pass: "decode",
      roles,
      variants,
      open: opened({
        ...{ format, N, K, normed, variants, rotatedBytes, kernels },
        rowCounts: stepRows(shape.parallel),
        rounds: (name) => rounds(matvecVariants[name as MatvecVariant]),
      }),
      apply(choice, variant) {
        for (const each of roles) choice.matvec[each] = variant as MatvecVariant;
      },
    };
  };

  const prefill = (roles: readonly MatrixRole[]): Slot => {
    const [role] = roles as [MatrixRole];
    const { format, K } = matrices[role];
    const T = Math.min(shape.chunkLength, sizes.tokens);
    const N = Math.min(measuredRows(matrices[role], sizes.matrixBytes), Math.floor(sizes.outputs / T));
    const variants = defaultFirst(shape.kernels.matmul[role], matmulCandidates(gpu.adapter, format), (name) =>
      rounds(matmulVariants[name]),
    );
    const kernels = (variant: string) =>
      withInput(matmul(format, variant as MatmulVariant), { T, N, K }, "plain");
    return {
      pass: "prefill",
      roles,
      variants,
      // Each weight is used for many tokens: where it comes from decides little.
      open: opened({
        ...{ format, N, K, normed: false, variants, rotatedBytes: 0, kernels },
        rowCounts: [T],
        rounds: (name) => rounds(matmulVariants[name as MatmulVariant]),
      }),
      apply(choice, variant) {
        for (const each of roles) choice.matmul[each] = variant as MatmulVariant;
      },
    };
  };

  const attention = (pass: Pass): Slot => {
    const rowCounts =
      pass === "decode"
        ? [...new Set([1, stepRows(shape.parallel).at(-1)!])]
        : [Math.min(sizes.tokens, shape.chunkLength, shape.S)];
    const { keys } = sizes;
    const attentionCase = {
      pass,
      shape,
      keys,
      rowCounts,
      rotatedBytes: pass === "decode" ? rotatedBytes : 0,
    };
    return {
      pass,
      roles: ["attention"],
      variants: defaultFirst(shape.kernels.attention[pass], attentionContestants(gpu.adapter, pass)),
      open: (made) => openAttention(gpu, pipelines, made, attentionCase),
      apply(choice, variant) {
        choice.attention[pass] = variant as AttentionVariant;
      },
    };
  };

  const shapeOf = (role: MatrixRole) => {
    const { format, N, K } = matrices[role];
    return [format.name, N, K];
  };
  const [largest = [], ...others] = interleaved(
    grouped(bySize, (role) => [...shapeOf(role), isNormed(role)]).map(decode),
    grouped(bySize, shapeOf).map(prefill),
  );
  return [...largest, attention("decode"), attention("prefill"), ...others.flat()];
}

/** The launches of a matrix kernel: one that reads codes is preceded by the one that makes them. */
function withInput(kernel: Kernel<MatvecSize>, size: MatvecSize, input: "plain" | "norm") {
  const order = kernel.quantizedInput;
  const kernels = [...(order ? [quantizeInput(order, input)] : []), kernel];
  return kernels.map((each) => [each as unknown as Kernel<{ T: number }>, size] as const);
}

const isNormed = (role: MatrixRole): boolean => role !== "oProj" && role !== "downProj";

const rounds = (variant: object): boolean => "rounds" in variant;

/** Exact variants come before those that round, which are compared with them. */
function defaultFirst<T extends string>(first: T, all: readonly T[], rounding = (_: T) => false): T[] {
  const ordered = [first, ...all.filter((variant) => variant !== first)];
  return [...ordered.filter((variant) => !rounding(variant)), ...ordered.filter(rounding)];
}

/** Groups of equal keys, in the order of their first members. */
function grouped<T>(all: readonly T[], keyOf: (each: T) => unknown): T[][] {
  const groups = new Map<string, T[]>();
  for (const each of all) {
    const key = JSON.stringify(keyOf(each));
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()];
}

const interleaved = <T>(a: readonly T[], b: readonly T[]): T[][] =>
  Array.from({ length: Math.max(a.length, b.length) }, (_, i) => [
    ...a.slice(i, i + 1),
    ...b.slice(i, i + 1),
  ]);
