// claim: is Mistral 7B almost four times as fast as Llama 2 7B, because it has a quarter of the keys and
// values? Bytes of both shapes, the most tokens a second that the adapter's limits allow, answers that fit
// into a memory; and one token's attention, measured. No weights are read: only headers are made.
import { Buffers } from "../engine/gpu/buffers.ts";
import { Pipelines } from "../engine/gpu/dispatch.ts";
import type { Gpu } from "../engine/gpu/gpu.ts";
import { Profiler } from "../engine/gpu/profiler.ts";
import { cacheFormats, cacheLength, weightFormats } from "../kernels/index.ts";
import { attentionLaunches } from "./attention.ts";
import { exactly, figure, repeat } from "./measure.ts";
import type { Limits } from "./result.ts";
import { type ModelShape, shapeSource } from "./shapes.ts";
import type { Bench, Suite } from "./suite.ts";

const LLAMA: ModelShape = { L: 32, D: 4096, F: 11_008, H: 32, G: 32, V: 32_000, W: null };
const MISTRAL: ModelShape = { ...LLAMA, F: 14_336, G: 8 };
/** Llama comes first: the others are compared with it. */
const MODELS: readonly (readonly [name: string, shape: ModelShape])[] = [
  ["Llama 2 7B", LLAMA],
  ["Mistral 7B, no window", MISTRAL],
  ["Mistral 7B v0.1, window 4096", { ...MISTRAL, W: 4096 }],
];
const d = 128;
const CONTEXTS = [512, 2048, 4096, 8192, 16_384];
const STREAMS = [1, 8];
/** Memory of one GPU, in bytes. */
const BUDGETS = [8e9, 16e9, 24e9, 80e9];
/** Weights as servers keep them, and as pages do. */
const WEIGHTS = ["bf16", "q4"] as const;
const CACHE = "f16";

/** What a model takes, as the planner has it. */
interface Sizes {
  readonly name: string;
  readonly shape: ModelShape;
  /** All of the weights, and those that a step reads: all but the embedding. */
  readonly weightBytes: number;
  readonly weightsRead: number;
  readonly scratchBytes: number;
  /** Keys and values of one token, of all layers. */
  readonly cacheBytesPerToken: number;
  readonly parameters: number;
}

export const claim: Suite = async (bench) => {
  const limits = await bench.loaded.measure(({ gpu }) => bench.limits(gpu));
  for (const weights of WEIGHTS) {
    const sizes = [];
    for (const [name, shape] of MODELS) sizes.push(await sizesOf(bench, name, shape, weights));
    if (bench.signal.aborted) return;
    for (const streams of STREAMS) addSteps(bench, sizes, limits, { weights, streams });
    for (const budget of BUDGETS) addFitting(bench, sizes, limits, { weights, budget });
  }
  await bench.loaded.measure(({ gpu, decoder }) =>
    measureAttention(bench, gpu, decoder.shape.kernels.attention.decode),
  );
  bench.note(
    "claim: tokens/s are limits, bandwidth over bytes or arithmetic over operations, not measured; over Llama 2 " +
      "is a ratio of bytes; only attention, one layer's of 32, and its ratio are measured",
  );
};

async function sizesOf(
  { engine, loaded }: Bench,
  name: string,
  shape: ModelShape,
  weights: (typeof WEIGHTS)[number],
): Promise<Sizes> {
  // A short context binds on every adapter, and its bytes scale.
  const options = { weights, cache: CACHE, contextLength: 512, adapter: loaded.adapter.name } as const;
  const plan = await engine.planModel(await shapeSource(name, shape), options);
  const format = weightFormats[weights];
  const embedding = (4 * shape.V * shape.D * (format.words(128) + format.scaleWords(128))) / 128;
  return {
    ...{ name, shape, weightBytes: plan.weightBytes, weightsRead: plan.weightBytes - embedding },
    ...{ scratchBytes: plan.scratchBytes, parameters: plan.parameters },
    cacheBytesPerToken: plan.cacheBytes / (plan.rings * plan.cacheSlots),
  };
}

/** Bytes of keys and values that a token reads. */
const cacheBytesRead = ({ cacheBytesPerToken, shape }: Sizes, context: number): number =>
  Math.min(context, shape.W ?? context) * cacheBytesPerToken;

/** Bytes that a step of `streams` answers moves. */
const stepBytes = (sizes: Sizes, streams: number, context: number): number =>
  sizes.weightsRead + streams * cacheBytesRead(sizes, context);

/** Most tokens a second of all streams: by bandwidth, or by arithmetic. */
function mostTokens(sizes: Sizes, limits: Limits, streams: number, context: number): number {
  const byBytes = (streams * limits.copyGigabytesPerSecond * 1e9) / stepBytes(sizes, streams, context);
  return Math.min(byBytes, (limits.peakGigaflopsPerSecond * 1e9) / flopsOf(sizes, context));
}

/** Of a token: two for each weight, and in each layer's attention four for each key and number of a query. */
function flopsOf({ parameters, shape }: Sizes, context: number): number {
  const { L, D, H, V, W } = shape;
  return 2 * (parameters - V * D) + 4 * L * H * d * Math.min(context, W ?? context);
}

function addSteps(
  { add }: Bench,
  all: readonly Sizes[],
  limits: Limits,
  { weights, streams }: { readonly weights: string; readonly streams: number },
): void {
  for (const context of CONTEXTS) {
    const bytes = all.map((sizes) => stepBytes(sizes, streams, context) / streams);
    for (const [i, sizes] of all.entries()) {
      const params = { model: sizes.name, weights, streams, context };
      add("bytesPerToken", "bytes", exactly(bytes[i] as number), params);
      add("cacheBytesPerToken", "bytes", exactly(sizes.cacheBytesPerToken), params);
      add("cacheBytesRead", "bytes", exactly(cacheBytesRead(sizes, context)), params);
      add("limitTokensPerSecond", "tokens/s", exactly(mostTokens(sizes, limits, streams, context)), params);
      // By bytes alone: this holds on every adapter that is bound by bandwidth.
      add("overLlama", "times", exactly((bytes[0] as number) / (bytes[i] as number)), params);
    }
  }
}

/** Answers of each context that fit beside the weights, and their tokens a second. */
function addFitting(
  { add }: Bench,
  all: readonly Sizes[],
  limits: Limits,
  { weights, budget }: { readonly weights: string; readonly budget: number },
): void {
  for (const context of CONTEXTS) {
    const fitting = all.map(({ shape, weightBytes, scratchBytes, cacheBytesPerToken }) => {
      const slots = Math.min(context, shape.W ?? context);
      return Math.max(0, Math.floor((budget - weightBytes - scratchBytes) / (slots * cacheBytesPerToken)));
    });
    if (fitting.every((count) => count === 0)) continue;
    const speed = all.map((sizes, i) => {
      const count = fitting[i] as number;
      return count === 0 ? 0 : count / stepBytes(sizes, count, context);
    });
    for (const [i, sizes] of all.entries()) {
      const count = fitting[i] as number;
      const params = { model: sizes.name, weights, memory: `${budget / 1e9} GB`, context };
      add("answersThatFit", "count", exactly(count), params);
      if (count === 0) continue;
      add("limitTokensPerSecond", "tokens/s", exactly(mostTokens(sizes, limits, count, context)), params);
      if (speed[0]) add("overLlama", "times", exactly((speed[i] as number) / speed[0]), params);
    }
  }
}

/** One layer's attention of one token. The models take turns. */
async function measureAttention(
  { budget, signal, add, doing, note }: Bench,
  gpu: Gpu,
  variant: Parameters<typeof attentionLaunches>[3],
): Promise<void> {
  const cache = cacheFormats[CACHE];
  for (const S of CONTEXTS) {
    if (signal.aborted) return;
    doing(`attention, context ${S}`);
    const buffers = new Buffers(gpu.device);
    const profiler = new Profiler(gpu);
    try {
      const bytes = 4 * cacheLength(cache, { B: 1, G: LLAMA.G, S, d });
      if (bytes > gpu.adapter.maxBindingBytes) {
        note(
          `claim: Llama 2's keys and values of ${S} tokens are ${bytes} bytes a layer, more than this adapter binds`,
        );
        return;
      }
      const pipelines = Pipelines.of(gpu.device);
      const prepare = ({ G }: ModelShape) =>
        Promise.all(
          attentionLaunches(gpu, buffers, { G, S, cache }, variant).map((each) => pipelines.prepare(each)),
        );
      const [llama, mistral] = await gpu.scoped(
        async () => [await prepare(LLAMA), await prepare(MISTRAL)] as const,
      );
      const runs = await repeat(budget, signal, () => profiler.run([...llama, ...mistral]));
      const sum = (times: readonly number[]) => times.reduce((a, b) => a + b, 0);
      const [one, other] = [
        runs.map((times) => sum(times.slice(0, llama.length))),
        runs.map((times) => sum(times.slice(llama.length))),
      ];
      const params = { kernel: llama[0]?.label ?? "", context: S };
      add("attentionMs", "ms", figure(one), { ...params, model: "Llama 2 7B" });
      add("attentionMs", "ms", figure(other), { ...params, model: "Mistral 7B, no window" });
      const times = one.map((ms, i) => ms / (other[i] as number));
      add("overLlama", "times", figure(times), { ...params, model: "Mistral 7B, no window" });
    } finally {
      profiler.dispose();
      buffers.destroy();
    }
  }
}
