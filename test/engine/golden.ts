// Numbers of an independent reference, in test/golden, and what a model must give to agree with them. Plain
// functions, without Vitest and Node: drivers, browsers and Deno share them.
import type { AdapterDescription, LoadOptions, Model } from "../../engine/api.ts";
import { chooseKernels } from "../../engine/tuning/kernel-choice.ts";
import { weightFormats } from "../../kernels/index.ts";
import { equal, less } from "../assert.ts";
import index from "../golden/tiny-mistral/index.json";

/** A prompt of test/golden/tiny-mistral; its README describes the fields. */
interface Golden {
  readonly ids: number[];
  readonly last_logits: { readonly f32_base64: string };
  readonly greedy_64_ids: number[];
  readonly greedy_top1_minus_top2: number[];
  readonly logprobs_of_ids_1_to_end: number[];
  readonly perplexity: number;
}

/** A prompt of test/golden/families. */
interface FamilyCase {
  readonly ids: number[];
  readonly last_logits: number[];
  readonly greedy_16: number[];
  readonly greedy_min_margin: number;
}

const prompts = import.meta.glob<Golden>("../golden/tiny-mistral/{[0-9]*,text600}.json", {
  import: "default",
});
const familyCases = import.meta.glob<FamilyCase[]>("../golden/families/*/golden.json", { import: "cases" });

/** A model as it is loaded, and what must hold of it. */
export interface GoldenModel {
  readonly name: string;
  /** A folder of test/golden/families. Default: the embedded model. */
  readonly family?: string;
  readonly options: LoadOptions;
  readonly checks: readonly GoldenCheck[];
}

export interface GoldenCheck {
  readonly name: string;
  /** @throws Error if the model disagrees with the reference */
  run(model: Model): Promise<void>;
}

export const read = async (name: string): Promise<Golden> => {
  const load = prompts[`../golden/tiny-mistral/${name}.json`];
  if (!load) throw new Error(`test/golden has no ${name}`);
  return load();
};

/**
 * @param short for a slow driver: prompts of two windows in bf16, two in f32; of the others 24 tokens are
 * continued, not 64; quality on a third of the text
 */
export function embeddedModels({ short = false } = {}): GoldenModel[] {
  const all = index.filter(({ name }) => name !== "text600");
  const asked = short
    ? {
        f32: all.filter(({ name }) => CLEAR.includes(name)),
        bf16: all.filter(({ n_tokens }) => n_tokens < 300),
      }
    : { f32: all, bf16: all };
  const stored = (["f32", "bf16"] as const).map((weights) => ({
    name: `weights ${weights} are the stored values`,
    options: { weights },
    checks: [
      ...asked[weights].map(({ name }) => continuation(name, short && !CLEAR.includes(name) ? 24 : 64)),
      ...(short ? [] : [logProbabilities]),
    ],
  }));
  const rounded = ROUNDED_WEIGHTS.map(([weights, bound]) => ({
    name: `weights ${weights}`,
    options: { weights },
    checks: [{ name: `perplexity within ${bound} of bf16`, run: quality(bound, short) }],
  }));
  const caches = ROUNDED_CACHES.map(([cache, bound]) => ({
    name: `a cache in ${cache}`,
    options: { weights: "f32" as const, cache },
    checks: [
      { name: `perplexity within ${bound} of the reference`, run: quality(bound, short) },
      {
        name: "greedy continuation",
        async run(model: Model) {
          equal("cache", model.plan.cache, cache);
          await clearContinuation(model);
        },
      },
    ],
  }));
  return [...stored, ...rounded, ...caches];
}

const ROUNDED_WEIGHTS = [
  ["f16", 1e-3],
  ["q8", 1e-3],
  ["q4", 1e-2],
  ["q4a", 1e-2],
  ["q4k", 1e-2],
] as const;
const ROUNDED_CACHES = [
  ["f16", 1e-4],
  ["q8", 1e-3],
] as const;

const continuation = (name: string, length: number): GoldenCheck => ({
  name: `${name}: logits, greedy continuation`,
  async run(model) {
    const golden = await read(name);
    await checkLogits(model, golden.ids, f32(golden.last_logits.f32_base64));
    const ids = await greedy(model, golden.ids, length);
    // After a token that the reference hardly preferred, another continuation may be right.
    const sure = clear(golden, length, 1e-2);
    less("tokens that the reference is unsure of", length - sure, length);
    equal("continuation", ids.slice(0, sure), golden.greedy_64_ids.slice(0, sure));
    equal("tokens", ids.length, length);
  },
});

const logProbabilities: GoldenCheck = {
  name: "text600: log-probabilities and perplexity",
  async run(model) {
    const golden = await read("text600");
    const { logProbs, perplexity } = await model.score(golden.ids);
    less("log-probabilities", worstOf(logProbs, golden.logprobs_of_ids_1_to_end), 5e-4);
    less("perplexity", Math.abs(perplexity / golden.perplexity - 1), 1e-4);
  },
};

const quality = (bound: number, short: boolean) => async (model: Model) => {
  const text = await sample(short);
  const { perplexity } = await model.score(text.ids);
  const change = perplexity / text.perplexity - 1;
  const { weights, cache, weightBytes, cacheBytes } = model.plan;
  console.log(
    `weights ${weights} (${weightBytes} bytes), cache ${cache} (${cacheBytes} bytes): ` +
      `perplexity ${perplexity.toFixed(5)} (${(100 * change).toFixed(4)} %)`,
  );
  less("change of perplexity", Math.abs(change), bound);
};

/** Prompts whose tokens the reference mostly prefers clearly. The last one is longer than the window. */
const CLEAR = ["02_once", "10_len_129"];

/** As long as the reference prefers its token clearly. */
async function clearContinuation(model: Model): Promise<void> {
  for (const name of CLEAR) {
    const golden = await read(name);
    const sure = clear(golden, 24, 0.1);
    less(`${name}: tokens that the reference is unsure of`, 24 - sure, 20);
    equal(name, await greedy(model, golden.ids, sure), golden.greedy_64_ids.slice(0, sure));
  }
}

/** Number of first tokens, at most `most`, that the reference prefers by more than `margin`. */
function clear({ greedy_top1_minus_top2 }: Golden, most: number, margin: number): number {
  const unsure = greedy_top1_minus_top2.slice(0, most).findIndex((each) => each <= margin);
  return unsure < 0 ? most : unsure;
}

/** Every family, with weights as stored. */
export const families: readonly GoldenModel[] = Object.entries(familyCases).map(([path, load]) => ({
  name: path.split("/").at(-2) ?? "",
  family: path.split("/").at(-2) ?? "",
  // Chunks shorter than the longest prompt: several of them, and with a window the ring rolls over.
  options: { chunkLength: 16 },
  checks: [
    {
      name: "logits, greedy continuation",
      async run(model) {
        for (const { ids, last_logits, greedy_16, greedy_min_margin } of await load()) {
          await checkLogits(model, ids, last_logits);
          const answer = await greedy(model, ids, 16);
          if (greedy_min_margin > 1e-3) equal(`${ids.length} tokens`, answer, greedy_16);
        }
      },
    },
  ],
}));

/** The least adapter that is no software driver: no features, the limits that every device has. */
const hardware: AdapterDescription = {
  name: "",
  vendor: "",
  architecture: "",
  driver: "",
  software: false,
  features: [],
  maxBindingBytes: 128 * 2 ** 20,
  maxBufferBytes: 256 * 2 ** 20,
  maxWorkgroupBytes: 16384,
  maxWorkgroupThreads: 256,
};
const unmeasured = chooseKernels(hardware, [weightFormats.f32], 7e9);

/** What a GPU gets unmeasured. Its kernel for prefill is that of the variant for decode, too. */
export const gpuKernels = {
  matvec: unmeasured.matvec.lmHead,
  matmul: unmeasured.matmul.lmHead,
  attention: unmeasured.attention.decode,
};

/**
 * Software drivers use lanes by default; the kernels of GPUs must give the same numbers. Without a window
 * there are 4096 slots, so attention is split over the cache; the embedded model's runs in one part.
 */
export const withGpuKernels: GoldenModel = {
  ...(families.find(({ name }) => name === "window_none") as GoldenModel),
  name: "window_none with the kernels of a GPU",
  options: { chunkLength: 16, kernels: gpuKernels },
};

/** @throws Error if a logit after the prompt differs by 5e-4 */
export async function checkLogits(
  model: Model,
  ids: readonly number[],
  expected: ArrayLike<number>,
): Promise<void> {
  less(`logits after ${ids.length} tokens`, worstOf(await model.logits(ids), expected), 5e-4);
}

export async function greedy(model: Model, ids: readonly number[], maxTokens: number): Promise<number[]> {
  const answer: number[] = [];
  for await (const chunk of model.generate(ids, { temperature: 0, maxTokens, ignoreEos: true }))
    answer.push(...chunk.ids);
  return answer;
}

/** Largest difference. Infinity if there is another number of values, or one is not a number. */
function worstOf(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  const worst = Array.from(expected).reduce(
    (max, value, i) => Math.max(max, Math.abs(value - actual[i]!)),
    0,
  );
  return Number.isNaN(worst) ? Infinity : worst;
}

export const f32 = (base64: string): Float32Array =>
  new Float32Array(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)).buffer);

/** The text that quality is measured on, or its first third: all of it takes half a minute on SwiftShader. */
export async function sample(short: boolean): Promise<{ ids: number[]; perplexity: number }> {
  const { ids, perplexity, logprobs_of_ids_1_to_end } = await read("text600");
  if (!short) return { ids, perplexity };
  const length = 200;
  const logProbs: number[] = logprobs_of_ids_1_to_end.slice(0, length - 1);
  const mean = logProbs.reduce((sum, value) => sum + value, 0) / logProbs.length;
  return { ids: ids.slice(0, length), perplexity: Math.exp(-mean) };
}
