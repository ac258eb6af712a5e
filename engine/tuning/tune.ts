// The tuner: measures the variants of the hot kernels on this adapter, at the model's own shapes. Wrong
// results are rejected.
import type { KernelChoice, Progress, TuningMeasurement } from "../api.ts";
import { DeviceError } from "../errors.ts";
import { Buffers } from "../gpu/buffers.ts";
import { CPU_ARCHITECTURE } from "../gpu/cpu-architecture.ts";
import type { Pipelines } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { BatchClock } from "./batch-clock.ts";
import { countdown } from "./countdown.ts";
import { type Limits, measureSlot } from "./measure-slot.ts";
import { allSlots, type Choice, type Measured, type Sizes, type Slot } from "./slots.ts";
import { VariantBench } from "./variant-bench.ts";

export interface TuneOptions {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** After it nothing is compiled or measured any more. Default: 5 s on a GPU, 60 s on a software driver. */
  readonly budgetMs?: number;
}

export interface Tuned {
  readonly choice: KernelChoice;
  readonly measurements: readonly TuningMeasurement[];
}

interface Effort extends Sizes, Pick<Limits, "contenders" | "compileAhead"> {
  readonly budgetMs: number;
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

/**
 * Measures slot after slot until the time is up. A variant is chosen for all numbers of rows: the one with
 * the least geometric mean of its times. A slot keeps the variant that it has unmeasured if no other is
 * reached.
 * @throws DeviceError on the CPU: one code computes all variants
 */
export async function tune(
  gpu: Gpu,
  pipelines: Pipelines,
  measured: Measured,
  { onProgress, signal, budgetMs }: TuneOptions,
): Promise<Tuned> {
  const { name, architecture, software } = gpu.adapter;
  if (architecture === CPU_ARCHITECTURE) {
    throw new DeviceError(
      `tune: expected a GPU, got ${name}, which has no variants of kernels to measure. Nothing has to be tuned there; adapter chooses a GPU.`,
      { code: "no-adapter" },
    );
  }
  const effort = EFFORT[software ? "software" : "gpu"];
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
      const made = new Buffers(gpu.device);
      try {
        const bench = await openBench(gpu, clock, made, slot);
        if (bench) {
          const results = await measureSlot(bench, slot, { ...effort, left, note });
          for (const role of roles)
            measurements.push(...results.measurements.map((each) => ({ ...each, role })));
          if (results.best !== undefined) slot.apply(choice, results.best);
        }
      } finally {
        made.destroy();
      }
      before += variants.length;
    }
  } finally {
    clock.close();
  }
  return { choice, measurements };
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
