// quality: perplexity of a text, size and speed of every weight format and every cache format.
import { LoadedModel } from "../engine/model.ts";
import { weightFormats } from "../kernels/index.ts";
import { exactly, figure, repeat } from "./measure.ts";
import { qualityText } from "./quality-text.ts";
import { runSteps, stepCount } from "./steps.ts";
import type { Bench, Suite } from "./suite.ts";

/** Formats with more bytes of weights are skipped. */
const MAX_BYTES = 8 * 2 ** 30;

export const quality: Suite = async (bench) => {
  const { loaded, engine, load, model, signal } = bench;
  const ids = await textIds(bench);
  const { parameters, weights } = loaded.plan;
  let reference: number | undefined;
  // Each weight format with the exact cache, then the other cache formats with the loaded weight format.
  const pairs = [
    ...Object.values(weightFormats).map((format) => ({ format, cache: "f32" as const })),
    ...(["f16", "q8"] as const).map((cache) => ({ format: weightFormats[weights], cache })),
  ];
  for (const { format, cache } of pairs) {
    if (signal.aborted) return;
    const { name } = format;
    const bytes = 4 * parameters * ((format.words(128) + format.scaleWords(128)) / 128);
    if (bytes > MAX_BYTES) {
      bench.note(`quality: ${name} would take ${(bytes / 1e9).toFixed(1)} GB of weights`);
      continue;
    }
    bench.doing(`${name}, cache ${cache}`);
    const other = await loaded
      .measure(({ gpu }) =>
        engine.loadModel(model, { ...load, weights: name, cache, device: gpu.device, signal }),
      )
      .catch((error: Error) => {
        if (error.name !== "CheckpointError") throw error;
        // A packed checkpoint has one format only.
        return undefined;
      });
    if (!(other instanceof LoadedModel)) {
      bench.note(`quality: this checkpoint is packed as ${weights} and has no ${name}`);
      continue;
    }
    try {
      await measureFormat(bench, other, ids, (perplexity) => {
        reference ??= perplexity;
        return reference;
      });
    } finally {
      other.dispose();
    }
  }
};

async function measureFormat(
  { budget, signal, add }: Bench,
  model: LoadedModel,
  ids: readonly number[],
  reference: (perplexity: number) => number,
): Promise<void> {
  const { perplexity } = await model.score(ids, { signal });
  const params = { weights: model.plan.weights, cache: model.plan.cache, tokens: ids.length };
  add("perplexity", "perplexity", exactly(perplexity), params);
  add("perplexityOverFirst", "times", exactly(perplexity / reference(perplexity)), params);
  add("weightBytes", "bytes", exactly(model.plan.weightBytes), params);
  add("cacheBytes", "bytes", exactly(model.plan.cacheBytes), params);
  await model.measure(async ({ decoder }) => {
    decoder.configure(0, { settings: {}, seed: 0, prompt: [] });
    const count = await stepCount(decoder, 0, budget.seconds);
    const runs = await repeat(budget, signal, () => runSteps(decoder, 0, count));
    add("tokensPerSecond", "tokens/s", figure(runs.map(({ seconds }) => count / seconds)), params);
  });
}

/** Tokens of the text, cut to the context. */
async function textIds({ loaded, text, note }: Bench): Promise<readonly number[]> {
  const ids = await loaded.encode(text ?? qualityText);
  if (ids.length <= loaded.contextLength) return ids;
  note(`quality: only the first ${loaded.contextLength} of ${ids.length} tokens fit the context`);
  return ids.slice(0, loaded.contextLength);
}
