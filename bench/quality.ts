// quality: perplexity of texts, distance from the first format, size and speed of every weight format and
// every cache format.
import type { Model } from "../engine/api.ts";
import { LoadedModel } from "../engine/model.ts";
import { compareModels, logitsOf, summarise } from "../eval/divergence.ts";
import { weightFormats } from "../kernels/index.ts";
import { debianTexts } from "./debian-texts.ts";
import { exactly, figure, repeat } from "./measure.ts";
import { qualityText } from "./quality-text.ts";
import { runSteps, stepCount } from "./steps.ts";
import type { Bench, Suite } from "./suite.ts";

/** Formats with more bytes of weights are skipped. */
const MAX_BYTES = 8 * 2 ** 30;
/** Tokens of a text. */
const TEXT_TOKENS = 2048;
/** Tokens at which distributions are compared: each takes a step of both models. */
const COMPARED_TOKENS = 128;

interface TextIds {
  readonly name: string;
  readonly ids: readonly number[];
}

export const quality: Suite = async (bench) => {
  const { loaded, signal } = bench;
  const texts = await textsOf(bench);
  const { weights } = loaded.plan;
  // Each weight format with the exact cache, then the other cache formats with the loaded weight format.
  const pairs = [
    ...Object.values(weightFormats).map((format) => ({ format, cache: "f32" as const })),
    ...(["f16", "q8"] as const).map((cache) => ({ format: weightFormats[weights], cache })),
  ];
  /** The first format that loads stays: the others are compared with it. */
  let reference: LoadedModel | undefined;
  try {
    for (const { format, cache } of pairs) {
      if (signal.aborted) return;
      bench.doing(`${format.name}, cache ${cache}`);
      const model = await loadFormat(bench, format, cache);
      if (!model) continue;
      reference ??= model;
      try {
        for (const text of texts) await measureText(bench, model, reference, text);
        await measureFormat(bench, model);
      } finally {
        if (model !== reference) model.dispose();
      }
    }
  } finally {
    reference?.dispose();
  }
};

/** @returns undefined, with a note, if the format is too large or the checkpoint has another */
async function loadFormat(
  { loaded, engine, load, model, signal, note }: Bench,
  { name, words, scaleWords }: (typeof weightFormats)[keyof typeof weightFormats],
  cache: "f32" | "f16" | "q8",
): Promise<LoadedModel | undefined> {
  const { parameters, weights } = loaded.plan;
  const bytes = 4 * parameters * ((words(128) + scaleWords(128)) / 128);
  if (bytes > MAX_BYTES) {
    note(`quality: ${name} would take ${(bytes / 1e9).toFixed(1)} GB of weights`);
    return undefined;
  }
  const other = await loaded
    .measure(({ gpu }) =>
      engine.loadModel(model, { ...load, weights: name, cache, device: gpu.device, signal }),
    )
    .catch((error: Error) => {
      if (error.name !== "CheckpointError") throw error;
      // A packed checkpoint has one format only.
      return undefined;
    });
  if (other instanceof LoadedModel) return other;
  note(`quality: this checkpoint is packed as ${weights} and has no ${name}`);
  return undefined;
}

/** Perplexity of a text, and how far the model is from the reference on its beginning. */
async function measureText(
  { signal, add }: Bench,
  model: LoadedModel,
  reference: Model,
  { name, ids }: TextIds,
): Promise<void> {
  const { perplexity } = await model.score(ids, { signal });
  const first = model === reference ? perplexity : (await reference.score(ids, { signal })).perplexity;
  const { weights, cache } = model.plan;
  const params = { weights, cache, text: name, tokens: ids.length };
  add("perplexity", "perplexity", exactly(perplexity), params);
  add("perplexityOverFirst", "times", exactly(perplexity / first), params);
  if (model === reference) return;
  const asked = { maxLength: ids.length, context: 1, signal };
  const compared = await compareModels(
    logitsOf(reference),
    logitsOf(model),
    ids.slice(0, COMPARED_TOKENS + 1),
    asked,
  );
  if (compared.length === 0) return;
  const { topAgreement, klMean, klP99 } = summarise(compared);
  add("topAgreement", "of the tokens", exactly(topAgreement), params);
  add("klMean", "nats", exactly(klMean), params);
  add("klP99", "nats", exactly(klP99), params);
}

/** Size and speed. */
async function measureFormat({ budget, signal, add }: Bench, model: LoadedModel): Promise<void> {
  const params = { weights: model.plan.weights, cache: model.plan.cache };
  add("weightBytes", "bytes", exactly(model.plan.weightBytes), params);
  add("cacheBytes", "bytes", exactly(model.plan.cacheBytes), params);
  await model.measure(async ({ decoder }) => {
    decoder.configure(0, { settings: {}, seed: 0, prompt: [] });
    const count = await stepCount(decoder, 0, budget.seconds);
    const runs = await repeat(budget, signal, () => runSteps(decoder, 0, count));
    add("tokensPerSecond", "tokens/s", figure(runs.map(({ seconds }) => count / seconds)), params);
  });
}

/** The text that was asked for, or a story and those of Debian; each cut to the context. */
async function textsOf({ loaded, text, note }: Bench): Promise<readonly TextIds[]> {
  const named =
    text === undefined
      ? [{ name: "story", text: qualityText }, ...(await debianTexts())]
      : [{ name: "--text", text }];
  const most = Math.min(loaded.contextLength, text === undefined ? TEXT_TOKENS : Number.POSITIVE_INFINITY);
  const found: TextIds[] = [];
  for (const each of named) {
    const ids = await loaded.encode(each.text);
    if (ids.length > most) note(`quality: ${each.name}: only the first ${most} of ${ids.length} tokens`);
    found.push({ name: each.name, ids: ids.slice(0, most) });
  }
  return found;
}
