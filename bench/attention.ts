// attention: the kernel alone, with multi-head, grouped-query and multi-query attention of the same width.
import { Buffers } from "../engine/gpu/buffers.ts";
import { type Dispatch, type Launch, launch, Pipelines } from "../engine/gpu/dispatch.ts";
import type { Gpu } from "../engine/gpu/gpu.ts";
import { Profiler } from "../engine/gpu/profiler.ts";
import {
  type AttentionVariant,
  attentionCombine,
  attentionSplits,
  attentionVariants,
  type CacheFormat,
  cacheFormats,
  cacheLength,
  padded,
  partialLength,
  qkvStride,
} from "../kernels/index.ts";
import { costOf } from "./cost.ts";
import { exactly, figure, repeat } from "./measure.ts";
import type { Bench, Suite } from "./suite.ts";

/** Mistral 7B's query heads, over a context of one window. */
const H = 32;
const d = 128;
const CONTEXT = 4096;
const KINDS = [
  ["multi-head", 32],
  ["grouped-query", 8],
  ["multi-query", 1],
] as const;

export const attention: Suite = async (bench) => {
  await bench.loaded.measure(async ({ gpu, decoder }) => {
    // A software driver measures a kernel for GPUs, too, though it does not run it. It would take a minute to
    // compile `teams`.
    const variants: readonly AttentionVariant[] = gpu.adapter.software
      ? ["lane", "workgroup"]
      : [decoder.shape.kernels.attention.decode];
    for (const variant of variants) {
      if (!bench.signal.aborted) await measureKinds(bench, gpu, variant);
    }
  });
};

/** Each run measures every kind once: what slows the machine down then slows all of them. */
async function measureKinds(
  { budget, signal, add, doing, note }: Bench,
  gpu: Gpu,
  variant: AttentionVariant,
): Promise<void> {
  doing(`${KINDS.map(([kind]) => kind).join(", ")}: ${variant} kernel`);
  const buffers = new Buffers(gpu.device);
  const profiler = new Profiler(gpu);
  try {
    const pipelines = Pipelines.of(gpu.device);
    const kinds: { kind: string; G: number; bytes: number; dispatches: Dispatch[] }[] = [];
    for (const [kind, G] of KINDS) {
      const bytes = 4 * cacheLength(cacheFormats.f32, { B: 1, G, S: CONTEXT, d });
      if (bytes > gpu.adapter.maxBindingBytes) {
        note(`attention: ${kind} binds ${bytes} bytes, this adapter ${gpu.adapter.maxBindingBytes}`);
        continue;
      }
      const prepare = () =>
        Promise.all(
          attentionLaunches(gpu, buffers, { G, S: CONTEXT, cache: cacheFormats.f32 }, variant).map((each) =>
            pipelines.prepare(each),
          ),
        );
      kinds.push({ kind, G, bytes, dispatches: await gpu.scoped(prepare) });
    }
    const all = kinds.flatMap(({ dispatches }) => dispatches);
    const runs = await repeat(budget, signal, () => profiler.run(all));
    let at = 0;
    let multiHead: number[] | undefined;
    for (const { kind, G, bytes, dispatches } of kinds) {
      const begin = at;
      at += dispatches.length;
      const seconds = runs.map((times) => times.slice(begin, at).reduce((a, b) => a + b) / 1000);
      if (G === H) multiHead = seconds;
      const { traffic } = costOf(dispatches, CONTEXT - 1);
      const params = { kernel: dispatches[0]?.label ?? "", kind, heads: `${H} on ${G}`, context: CONTEXT };
      add("milliseconds", "ms", figure(seconds.map((s) => 1000 * s)), params);
      add("tokensPerSecond", "tokens/s", figure(seconds.map((s) => 1 / s)), params);
      if (multiHead) {
        const ratios = seconds.map((s, run) => s / (multiHead?.[run] ?? Number.NaN));
        add("timeOverMultiHead", "times", figure(ratios), params);
      }
      add("gigabytesPerSecond", "GB/s", figure(seconds.map((s) => traffic.total / s / 1e9)), params);
      add("cacheBytes", "bytes", exactly(bytes), params);
      add("cacheBytesRead", "bytes", exactly(traffic.cache), params);
    }
  } finally {
    profiler.dispose();
    buffers.destroy();
  }
}

/** One token's attention over a full cache of zeros: the values do not change the time. */
export function attentionLaunches(
  gpu: Gpu,
  buffers: Buffers,
  { G, S, cache }: { readonly G: number; readonly S: number; readonly cache: CacheFormat },
  variant: AttentionVariant,
): Launch[] {
  const ring = { T: 1, B: 1, H, G, d, S, W: S };
  const qkv = buffers.storage("qkv", qkvStride(ring));
  const stored = buffers.storage("cache", cacheLength(cache, ring));
  const rows = buffers.storage("rows", 4);
  const attended = buffers.storage("attended", padded(H * d));
  gpu.device.queue.writeBuffer(rows, 0, new Uint32Array([0, S - 1, 0, 0]));
  const { decode, splits } = attentionVariants[variant];
  const kernel = decode(cache, d);
  const size = { ...ring, SPLITS: splits ? attentionSplits(ring) : 1, store: true };
  if (size.SPLITS === 1) return [launch(kernel, size, qkv, stored, rows, attended)];
  const partial = buffers.storage("partial", partialLength(size));
  return [
    launch(kernel, size, qkv, stored, rows, partial),
    launch(attentionCombine, size, partial, rows, attended),
  ];
}
