// kernels: each kernel of a decode step and of a prefill chunk, at the model's shapes, and the adapter's
// limits.
import type { Dispatch } from "../engine/gpu/dispatch.ts";
import { Profiler } from "../engine/gpu/profiler.ts";
import type { Shape } from "../engine/graph/shape.ts";
import { costOf, groups } from "./cost.ts";
import { figure, repeat } from "./measure.ts";
import type { Limits } from "./result.ts";
import type { Bench, Suite } from "./suite.ts";

/** Tokens of the prefill chunk on a software driver: a shorter chunk has the same rates. */
const SOFTWARE_CHUNK = 128;
/** Kernels that move fewer bytes in a launch get a time, but no rates. */
const HOT_BYTES = 4096;

export const kernels: Suite = async (bench) => {
  await bench.loaded.measure(async ({ gpu, decoder }) => {
    const limits = await bench.limits(gpu);
    const profiler = new Profiler(gpu);
    try {
      const { shape } = decoder;
      const context = Math.min(shape.W, Math.floor(shape.positions / 2));
      decoder.configure(0, { settings: {}, seed: 0, prompt: [] });
      bench.doing("a decode step");
      const dispatches = decoder.dispatchesOf(context);
      await measurePass(bench, profiler, limits, "decode", dispatches, shape, context, () => {
        decoder.setRow(context);
      });
      if (bench.signal.aborted) return;
      bench.doing("a prefill chunk");
      const most = gpu.adapter.software ? SOFTWARE_CHUNK : shape.chunkLength;
      const T = Math.min(most, shape.chunkLength, shape.positions);
      const ids = Array.from({ length: T }, (_, i) => i % shape.V);
      // Fills the buffers that the pass reads.
      await decoder.prefill(0, ids, 0, bench.signal);
      await measurePass(
        bench,
        profiler,
        limits,
        "prefill",
        decoder.prefillDispatches,
        shape,
        T - 1,
        () => {},
        T,
      );
    } finally {
      profiler.dispose();
    }
  });
};

async function measurePass(
  { budget, signal, add }: Bench,
  profiler: Profiler,
  { copyGigabytesPerSecond, peakGigaflopsPerSecond }: Limits,
  pass: "decode" | "prefill",
  dispatches: readonly Dispatch[],
  shape: Shape,
  position: number,
  prepare: () => void,
  T?: number,
): Promise<void> {
  const runs = await repeat(budget, signal, () => {
    prepare();
    return profiler.run(dispatches, T);
  });
  const totals = runs.map((times) => times.reduce((a, b) => a + b));
  for (const { label, size, kernel, indices } of groups(dispatches)) {
    // In each run: milliseconds of all launches of the group, and seconds of one.
    const sums = runs.map((times) => indices.reduce((sum, i) => sum + (times[i] ?? 0), 0));
    const seconds = sums.map((ms) => ms / 1000 / indices.length);
    const { traffic, flops } = costOf([{ kernel, size }], position, T);
    const params = { pass, kernel: label, shape: shapeOf(size, shape), launches: indices.length };
    add("milliseconds", "ms", figure(seconds.map((s) => 1000 * s)), params);
    add("shareOfPass", "of the pass", figure(sums.map((sum, i) => sum / (totals[i] ?? 1))), params);
    // A launch that is too short for the clock gets no rates.
    if (traffic.total < HOT_BYTES || seconds.some((s) => s <= 0)) continue;
    const rates = seconds.map((s) => traffic.total / s / 1e9);
    add("gigabytesPerSecond", "GB/s", figure(rates), params);
    add("shareOfCopyBandwidth", "of the limit", figure(rates.map((r) => r / copyGigabytesPerSecond)), params);
    if (flops === 0) continue;
    const speeds = seconds.map((s) => flops / s / 1e9);
    add("gigaflopsPerSecond", "GFLOP/s", figure(speeds), params);
    add("shareOfPeak", "of the limit", figure(speeds.map((r) => r / peakGigaflopsPerSecond)), params);
  }
  const all = costOf(dispatches, position, T);
  const params = {
    pass,
    kernel: "all",
    shape: T === undefined ? "" : `${T} tokens`,
    launches: dispatches.length,
  };
  add("milliseconds", "ms", figure(totals), params);
  add("gigabytesPerSecond", "GB/s", figure(totals.map((ms) => all.traffic.total / ms / 1e6)), params);
  add("gigaflopsPerSecond", "GFLOP/s", figure(totals.map((ms) => all.flops / ms / 1e6)), params);
}

/** A matrix as rows × columns, attention as its heads; empty for other kernels. */
function shapeOf(size: object, { H, G, d }: Shape): string {
  const { N, K, F, heads, S } = size as Partial<Record<"N" | "K" | "F" | "heads" | "S", number>>;
  if (K !== undefined) return `${N ?? (heads === undefined ? 2 * (F ?? 0) : heads * d)}×${K}`;
  return S === undefined ? "" : `${H} on ${G} heads of ${d}`;
}
