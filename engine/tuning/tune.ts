// The tuner: measures the variants of the hot kernels on this adapter, at the model's own shapes. Wrong
// results are rejected.
import {
  type AttentionVariant,
  type Kernel,
  type MatmulVariant,
  type MatvecSize,
  type MatvecVariant,
  matmul,
  matvec,
} from "../../kernels/index.ts";
import type { KernelChoice, MatrixRole, Pass, Progress, TuningMeasurement } from "../api.ts";
import type { Pipelines } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { MainMatrix } from "../graph/layout.ts";
import type { Shape } from "../graph/shape.ts";
import { attentionCandidates, matmulCandidates, matrixRoles, matvecCandidates } from "./kernel-choice.ts";
import { AttentionBench } from "./tune-attention.ts";
import { MatrixBench } from "./tune-matrix.ts";
import type { VariantBench } from "./variant-bench.ts";

export interface TuneOptions {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default: 5 s on a GPU, 60 s on a software driver. */
  readonly budgetMs?: number;
}

/** The parts of a model that decide which variants are fast. */
export interface Measured {
  readonly shape: Shape;
  readonly matrices: Readonly<Record<MatrixRole, MainMatrix>>;
}

export interface Tuned {
  readonly choice: KernelChoice;
  readonly measurements: readonly TuningMeasurement[];
}

/** Limits of a measurement: on a GPU, and on a driver that computes on the CPU. */
const EFFORT = {
  gpu: { budgetMs: 5_000, weights: 2 ** 26, tokens: 256, keys: 4096, batchMs: 2 },
  software: { budgetMs: 60_000, weights: 2 ** 21, tokens: 64, keys: 1024, batchMs: 5 },
} as const;

type Choice = {
  -readonly [K in keyof KernelChoice]: { -readonly [R in keyof KernelChoice[K]]: KernelChoice[K][R] };
};

/** A place in the choice, and the variants for it. */
interface Slot {
  readonly pass: Pass;
  readonly role: TuningMeasurement["role"];
  readonly variants: readonly string[];
  /** Measures the variants on buffers of its own. */
  open(): VariantBench;
  apply(choice: Choice, variant: string): void;
}

/**
 * Measures slot after slot until the time is up. Each starts with the variant that it has unmeasured, and
 * keeps it if no other is reached. qkv and gate_up are measured as a matrix-vector product of their shape:
 * they only add an epilogue.
 */
export async function tune(
  gpu: Gpu,
  pipelines: Pipelines,
  { shape, matrices }: Measured,
  { onProgress, signal, budgetMs }: TuneOptions,
): Promise<Tuned> {
  const effort = EFFORT[gpu.adapter.software ? "software" : "gpu"];
  const slots = allSlots(gpu, pipelines, { shape, matrices }, effort);
  const total = slots.reduce((sum, { variants }) => sum + variants.length, 0);
  const deadline = performance.now() + (budgetMs ?? effort.budgetMs);
  const { matvec, matmul, attention } = shape.kernels;
  const choice: Choice = { matvec: { ...matvec }, matmul: { ...matmul }, attention: { ...attention } };
  const measurements: TuningMeasurement[] = [];
  let done = 0;
  for (const slot of slots) {
    const bench = slot.open();
    const times: TuningMeasurement[] = [];
    try {
      for (const variant of slot.variants) {
        signal?.throwIfAborted();
        if (performance.now() > deadline) break;
        const { role, pass } = slot;
        onProgress?.({ stage: "tune", name: `${pass} ${role} ${variant}`, loaded: done++, total });
        times.push({ role, pass, variant, ...(await bench.measure(variant, effort.batchMs)) });
      }
    } finally {
      bench.close();
    }
    const fastest = times.reduce<TuningMeasurement | undefined>(
      (best, each) => (best && best.microseconds <= each.microseconds ? best : each),
      undefined,
    );
    if (fastest && fastest.rejected === undefined) slot.apply(choice, fastest.variant);
    measurements.push(...times);
  }
  return { choice, measurements };
}

/**
 * The slots by what they matter, as the time may not suffice for all: the largest matrix, attention, other
 * matrices by size.
 */
function allSlots(
  gpu: Gpu,
  pipelines: Pipelines,
  { shape, matrices }: Measured,
  effort: { weights: number; tokens: number; keys: number },
): Slot[] {
  const { B, kernels, chunkLength } = shape;
  const capped = (role: MatrixRole) => {
    const { N, K } = matrices[role];
    return { N: Math.min(N, Math.max(256, Math.floor(effort.weights / K))), K };
  };
  const bySize = [...matrixRoles].sort(
    (a, b) => matrices[b].N * matrices[b].K - matrices[a].N * matrices[a].K,
  );
  const normed = (role: MatrixRole) => role !== "oProj" && role !== "downProj";
  const ofMatrix = (role: MatrixRole): Slot[] => {
    const { format } = matrices[role];
    const matrix = (
      T: number,
      variants: readonly string[],
      kernel: (variant: string) => Kernel<MatvecSize>,
    ) => ({
      role,
      variants,
      open: () => new MatrixBench(gpu, pipelines, { format, size: { T, ...capped(role) }, variants, kernel }),
    });
    return [
      {
        pass: "decode",
        ...matrix(B, defaultFirst(kernels.matvec[role], matvecCandidates(gpu.adapter)), (variant) =>
          matvec(format, variant as MatvecVariant, normed(role) ? "norm" : "plain"),
        ),
        apply(choice, variant) {
          choice.matvec[role] = variant as MatvecVariant;
        },
      },
      {
        pass: "prefill",
        ...matrix(
          Math.min(chunkLength, effort.tokens),
          defaultFirst(kernels.matmul[role], matmulCandidates(gpu.adapter, format)),
          (variant) => matmul(format, variant as MatmulVariant),
        ),
        apply(choice, variant) {
          choice.matmul[role] = variant as MatmulVariant;
        },
      },
    ];
  };
  const ofAttention = (pass: Pass): Slot => ({
    pass,
    role: "attention",
    variants: defaultFirst(kernels.attention[pass], attentionCandidates(gpu.adapter)),
    open: () => new AttentionBench(gpu, pipelines, pass, shape, effort.keys, effort.tokens),
    apply(choice, variant) {
      choice.attention[pass] = variant as AttentionVariant;
    },
  });
  const [largest = [], ...others] = bySize.map(ofMatrix);
  return [...largest, ofAttention("decode"), ofAttention("prefill"), ...others.flat()];
}

const defaultFirst = (first: string, all: readonly string[]): string[] => [
  first,
  ...all.filter((variant) => variant !== first),
];
