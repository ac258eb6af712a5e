// The tuner: measures the variants of the hot kernels on this adapter, at the model's own shapes. Wrong
// results are rejected.
import type { KernelChoice, Progress, TuningMeasurement } from "../api.ts";
import { Buffers } from "../gpu/buffers.ts";
import type { Pipelines } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { BatchClock } from "./batch-clock.ts";
import { allSlots, type Choice, type Measured, type Sizes, type Slot } from "./slots.ts";
import { VariantBench } from "./variant-bench.ts";

export interface TuneOptions {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default: 5 s on a GPU, 60 s on a software driver. */
  readonly budgetMs?: number;
}

export interface Tuned {
  readonly choice: KernelChoice;
  readonly measurements: readonly TuningMeasurement[];
}

interface Effort extends Sizes {
  readonly budgetMs: number;
  /** Variants that take at most this many times as long as the best are measured with more rows. */
  readonly contenders: number;
  /** Compiles the variants of a slot side by side. */
  readonly compileAhead: boolean;
}

/** Limits of a measurement: on a GPU, and on a driver that computes on the CPU and compiles slowly. */
const EFFORT: Readonly<Record<"gpu" | "software", Effort>> = {
  gpu: {
    ...{ budgetMs: 5_000, contenders: 3, compileAhead: true },
    ...{ matrixBytes: 2 ** 27, rotatedBytes: 2 ** 28, tokens: 256, outputs: 2 ** 21, keys: 4096 },
  },
  software: {
    ...{ budgetMs: 60_000, contenders: 1.5, compileAhead: false },
    ...{ matrixBytes: 2 ** 21, rotatedBytes: 0, tokens: 64, outputs: 2 ** 18, keys: 1024 },
  },
};

/** Microseconds of a launch with each number of rows, as far as it was measured. */
type Times = Map<string, number[]>;

/**
 * Measures slot after slot until the time is up. A variant is chosen for all numbers of rows: the one with
 * the least geometric mean of its times. A slot keeps the variant that it has unmeasured if no other is
 * reached.
 */
export async function tune(
  gpu: Gpu,
  pipelines: Pipelines,
  measured: Measured,
  { onProgress, signal, budgetMs }: TuneOptions,
): Promise<Tuned> {
  const effort = EFFORT[gpu.adapter.software ? "software" : "gpu"];
  const slots = allSlots(gpu, pipelines, measured, effort);
  const { matvec, matmul, attention } = measured.shape.kernels;
  const choice: Choice = { matvec: { ...matvec }, matmul: { ...matmul }, attention: { ...attention } };
  const measurements: TuningMeasurement[] = [];
  const total = slots.reduce((sum, { variants }) => sum + variants.length, 0);
  const left = countdown(budgetMs ?? effort.budgetMs);
  const clock = await BatchClock.open(gpu);
  try {
    let before = 0;
    for (const slot of slots) {
      const { pass, roles, variants } = slot;
      if (left() <= 0) break;
      const note = (variant: string) => {
        signal?.throwIfAborted();
        const loaded = before + variants.indexOf(variant);
        onProgress?.({ stage: "tune", name: `${pass} ${roles.join(", ")} ${variant}`, loaded, total });
      };
      const results = await measureSlot(gpu, clock, slot, effort, left, note);
      for (const role of roles) measurements.push(...results.measurements.map((each) => ({ ...each, role })));
      if (results.best !== undefined) slot.apply(choice, results.best);
      before += variants.length;
    }
  } finally {
    clock.close();
  }
  return { choice, measurements };
}

async function measureSlot(
  gpu: Gpu,
  clock: BatchClock,
  slot: Slot,
  effort: Effort,
  left: () => number,
  note: (variant: string) => void,
): Promise<{ measurements: Omit<TuningMeasurement, "role">[]; best: string | undefined }> {
  const { pass, variants } = slot;
  const times: Times = new Map();
  const made = new Buffers(gpu.device);
  try {
    const bench = await openBench(gpu, clock, made, slot);
    if (!bench) return { measurements: [], best: undefined };
    const { rowCounts, rejections } = bench;
    for (const rows of rowCounts) {
      const contenders = rows === rowCounts[0] ? variants : fastest(times, rejections, effort.contenders);
      if (effort.compileAhead) await bench.compile(contenders, rows);
      for (const variant of contenders) {
        if (left() <= 0) break;
        note(variant);
        times.set(variant, [...(times.get(variant) ?? []), await bench.measure(variant, rows)]);
      }
    }
    const measurements = [...times].flatMap(([variant, all]) =>
      all.map((microseconds, i) => {
        const rejected = rejections.get(variant);
        const rows = rowCounts[i]!;
        if (rejected === undefined) return { pass, variant, rows, microseconds };
        return { pass, variant, rows, microseconds: Infinity, rejected };
      }),
    );
    return { measurements, best: choose(times, rejections, rowCounts.length, variants[0]!) };
  } finally {
    made.destroy();
  }
}

/** @returns undefined if there is no room for the buffers */
async function openBench(
  gpu: Gpu,
  clock: BatchClock,
  made: Buffers,
  slot: Slot,
): Promise<VariantBench | undefined> {
  try {
    return await gpu.scoped(async () => new VariantBench(gpu, clock, made, await slot.open(made)));
  } catch {
    gpu.check();
    return undefined;
  }
}

/** The variants that take at most `most` times as long as the fastest, the fastest first. */
function fastest(times: Times, rejections: ReadonlyMap<string, string>, most: number): string[] {
  const means = [...times]
    .filter(([variant]) => !rejections.has(variant))
    .map(([variant, all]) => ({ variant, mean: geometricMean(all) }))
    .sort((a, b) => a.mean - b.mean);
  return means.filter(({ mean }) => mean <= most * means[0]!.mean).map(({ variant }) => variant);
}

/**
 * The fastest of the variants that were measured with every number of rows. If there is none, and
 * `unmeasured` turned out to be wrong, the fastest of the others.
 */
function choose(
  times: Times,
  rejections: ReadonlyMap<string, string>,
  counts: number,
  unmeasured: string,
): string | undefined {
  const complete = new Map([...times].filter(([, all]) => all.length === counts));
  const [best] = fastest(complete, rejections, 1);
  if (best !== undefined || !rejections.has(unmeasured)) return best;
  return fastest(times, rejections, 1)[0];
}

const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/**
 * Milliseconds that are left of a budget. Time between two calls counts as half of the budget at most: the
 * machine may have slept.
 */
function countdown(budgetMs: number): () => number {
  let left = budgetMs;
  let last = performance.now();
  return () => {
    const now = performance.now();
    left -= Math.min(now - last, budgetMs / 2);
    last = now;
    return left;
  };
}
