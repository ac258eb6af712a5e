// The adapter's limits: bytes a second of a plain copy, operations a second of multiply-adds in registers.
import { Buffers } from "../engine/gpu/buffers.ts";
import { launch, Pipelines } from "../engine/gpu/dispatch.ts";
import type { Gpu } from "../engine/gpu/gpu.ts";
import { Profiler } from "../engine/gpu/profiler.ts";
import { copy, multiplyAdd } from "../kernels/index.ts";
import { costOf } from "./cost.ts";
import { type Budget, figure, repeat } from "./measure.ts";
import type { Limits } from "./result.ts";

/** Larger than any GPU's cache. Smaller for a software driver, which takes longer. */
const COPY_BYTES = { gpu: 128 * 2 ** 20, software: 64 * 2 ** 20 };
/** Enough threads to fill a GPU, and enough rounds that the loads around them do not count. */
const ARITHMETIC = {
  gpu: { threads: 2 ** 17, rounds: 4096 },
  software: { threads: 2 ** 12, rounds: 1024 },
};

export async function measureLimits(gpu: Gpu, budget: Budget, signal: AbortSignal): Promise<Limits> {
  const kind = gpu.adapter.software ? "software" : "gpu";
  const words = Math.min(COPY_BYTES[kind], gpu.adapter.maxBindingBytes) / 4;
  const { threads, rounds } = ARITHMETIC[kind];
  const buffers = new Buffers(gpu.device);
  const profiler = new Profiler(gpu);
  try {
    const make = (...lengths: [string, number][]) =>
      lengths.map(([name, length]) => buffers.storage(name, length)) as [GPUBuffer, GPUBuffer];
    const launches = [
      launch(copy, { words }, ...make(["copied", words], ["copy", words])),
      launch(multiplyAdd, { threads, rounds }, ...make(["x", 16 * threads], ["y", 16 * threads])),
    ];
    const pipelines = Pipelines.of(gpu.device);
    const dispatches = await gpu.scoped(() => Promise.all(launches.map((each) => pipelines.prepare(each))));
    const times = await repeat(budget, signal, () => profiler.run(dispatches));
    // The fastest run: others were slowed down by something else.
    const best = dispatches.map((_, i) => figure(times.map((each) => each[i] ?? 0)).min / 1000);
    const [copied, computed] = dispatches.map((dispatch) => costOf([dispatch], 0));
    return {
      copyGigabytesPerSecond: (copied?.traffic.total ?? 0) / (best[0] ?? 0) / 1e9,
      peakGigaflopsPerSecond: (computed?.flops ?? 0) / (best[1] ?? 0) / 1e9,
    };
  } finally {
    profiler.dispose();
    buffers.destroy();
  }
}
