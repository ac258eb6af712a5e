// Scores a long text window by window, alone or beside a reference, and prints the perplexity.
import { existsSync } from "node:fs";
import { compareModels, type Divergence, logitsOf, summarise } from "../eval/divergence.ts";
import { scoreWindows, tokenPerplexity, unitPerplexities } from "../eval/perplexity.ts";
import { weightFormatNames } from "../kernels/formats/table.ts";
import { knownModel } from "../weights/known-models.ts";
import { labelled } from "../weights/labelled.ts";
import { adapted } from "./adapted.ts";
import type { Context } from "./context.ts";
import type { Model, WeightFormatName } from "./engine.ts";
import { UsageError } from "./errors.ts";
import { EvalProgress } from "./eval-progress.ts";
import { readTextFile } from "./input.ts";
import { withModel } from "./open-model.ts";
import { adapterField, type LoadingOptions, withAdapter } from "./options.ts";
import { expected } from "./parse.ts";

export interface TextOptions extends LoadingOptions {
  readonly file: string;
  readonly maxLength?: number;
  readonly overlap: number;
  readonly against?: string;
  readonly limit?: number;
}

/** A text, and how it is scored. */
interface Task {
  readonly text: string;
  readonly ids: readonly number[];
  /** Whether `ids` are all of the text. */
  readonly isAll: boolean;
  readonly maxLength: number;
  readonly context: number;
}

/** @returns false if Ctrl-C ended it before the last token */
export async function evaluateText(context: Context, options: TextOptions): Promise<boolean> {
  const text = await readTextFile(options.file, "--perplexity");
  const { against } = options;
  if (against !== undefined) checkAgainst(against);
  return withModel(context, options, async (model) => {
    if (against === undefined) return perplexity(context, model, await taskOf(model, text, options), options);
    const weights = weightFormatNames.find((name) => name === against) as WeightFormatName | undefined;
    // An adapter belongs to the model, not to another one.
    const { adapterModel: _, ...plain } = options;
    const other: LoadingOptions = weights ? { ...options, weights } : { ...plain, model: against };
    let isLoaded = false;
    const compared = withModel(context, other, async (reference) => {
      isLoaded = true;
      await checkSameTokens(reference, model, text);
      const contextLength = Math.min(model.contextLength, reference.contextLength);
      const task = await taskOf(model, text, options, contextLength);
      return divergence(context, { model, reference, against, other }, task, options);
    });
    return compared.catch((error: unknown) => {
      if (isLoaded) throw error;
      return labelled("--against", () => Promise.reject(error));
    });
  });
}

/** Fails now, not after a long load. @throws UsageError for what is neither a format nor a model */
function checkAgainst(against: string): void {
  const isFormat = weightFormatNames.some((name) => name === against);
  // Other paths, addresses and names on the Hub.
  const mayBe = /[/\\]/.test(against) && !/^\.{0,2}[/\\]/.test(against);
  if (isFormat || mayBe || knownModel(against) || existsSync(against)) return;
  const formats = weightFormatNames.join(", ");
  throw expected("--against", `a model, or a weight format (${formats})`, against);
}

/** The harness's default of --max-length. */
const MAX_LENGTH = 2048;

/** @param contextLength that windows fit into */
async function taskOf(
  model: Model,
  text: string,
  { file, maxLength, overlap, limit = Infinity }: TextOptions,
  contextLength = model.contextLength,
): Promise<Task> {
  // One more token is scored after the last of a window.
  const most = contextLength - 1;
  if (maxLength !== undefined && maxLength > most)
    throw new UsageError(
      `--max-length: expected at most ${most}, one less than the context, got ${maxLength}. A larger --context has room for it`,
    );
  const all = [...(await prefixOf(model)), ...(await model.encode(text))];
  const ids = all.slice(0, limit + 1);
  if (ids.length < 2)
    throw new UsageError(`--perplexity ${file}: expected a text with tokens to score, got none`);
  const length = maxLength ?? Math.min(MAX_LENGTH, most);
  if (overlap > length)
    throw new UsageError(`--overlap: expected at most ${length}, the tokens of a window, got ${overlap}`);
  return { text, ids, isAll: ids.length === all.length, maxLength: length, context: overlap };
}

/**
 * What comes before a text, so that its first token is scored, too: the token of the beginning, else of the
 * end, as in the harness. Empty if `encode` puts one there itself, or the model has neither.
 */
async function prefixOf(model: Model): Promise<readonly number[]> {
  if ((await model.encode("")).length > 0) return [];
  const { bosToken, eosToken } = await model.tokenizerInfo();
  const token = bosToken ?? eosToken;
  const ids = token === undefined ? [] : await model.encode(token);
  return ids.length === 1 ? ids : [];
}

async function checkSameTokens(reference: Model, model: Model, text: string): Promise<void> {
  const sample = text.slice(0, 10_000);
  const [a, b] = [await reference.encode(sample), await model.encode(sample)];
  if (reference.config.V !== model.config.V || a.length !== b.length || a.some((id, i) => id !== b[i]))
    throw new UsageError("--against: expected a model with the same vocabulary, got another");
}

async function perplexity(
  context: Context,
  model: Model,
  task: Task,
  options: TextOptions,
): Promise<boolean> {
  const { signal } = context.interrupts;
  const progress = new EvalProgress(context, options.quiet ?? false, task.ids.length - 1, "tokens");
  const { logProbs, isWhole } = await scoreWindows(adapted(model, options), task.ids, {
    ...{ ...task, signal },
    onScored: (tokens) => progress.show(tokens),
  }).finally(() => progress.clear());
  if (logProbs.length === 0) return false;
  const { value, error } = tokenPerplexity(logProbs);
  const units = isWhole && task.isAll ? unitPerplexities(task.text, logProbs) : undefined;
  if (options.json) {
    const { weights, cache } = model.plan;
    const counts = { tokens: logProbs.length, maxLength: task.maxLength };
    const figures = { perplexity: value, perplexityError: error, ...(units && unitFields(units)) };
    context.output.json({
      ...figures,
      ...counts,
      weights,
      cache,
      adapter: model.adapter.name,
      ...adapterField(options),
    });
    return isWhole;
  }
  const rows: [string, number, (number | undefined)?][] = [["token_perplexity", value, error ?? undefined]];
  if (units)
    rows.push(
      ["word_perplexity", units.word],
      ["byte_perplexity", units.byte],
      ["bits_per_byte", units.bitsPerByte],
    );
  for (const [name, figure, plusMinus] of rows)
    context.output.write(
      `${name.padEnd(17)} ${figure.toFixed(4)}${plusMinus === undefined ? "" : ` ± ${plusMinus.toFixed(4)}`}\n`,
    );
  note(context, options, `${countOf(logProbs.length, task)}, windows of ${task.maxLength}`, model);
  return isWhole;
}

const unitFields = ({ word, byte, bitsPerByte }: ReturnType<typeof unitPerplexities>) => ({
  ...{ wordPerplexity: word, bytePerplexity: byte, bitsPerByte },
});

async function divergence(
  context: Context,
  {
    model,
    reference,
    against,
    other,
  }: {
    readonly model: Model;
    readonly reference: Model;
    readonly against: string;
    readonly other: LoadingOptions;
  },
  task: Task,
  options: TextOptions,
): Promise<boolean> {
  const { signal } = context.interrupts;
  const progress = new EvalProgress(context, options.quiet ?? false, task.ids.length - 1, "tokens");
  const compared = await compareModels(
    logitsOf(adapted(reference, other)),
    logitsOf(adapted(model, options)),
    task.ids,
    {
      ...{ ...task, signal },
      onCompared: (tokens) => progress.show(tokens),
    },
  ).finally(() => progress.clear());
  if (compared.length === 0) return false;
  const isWhole = compared.length === task.ids.length - 1;
  const found = summarise(compared);
  if (options.json) {
    const { weights, cache } = model.plan;
    context.output.json({
      against,
      ...found,
      weights,
      cache,
      adapter: model.adapter.name,
      ...adapterField(options),
    });
    return isWhole;
  }
  context.output.write(rowsOf(found));
  const beside = `${countOf(compared.length, task)}, against ${against} (${reference.plan.weights})`;
  note(context, options, beside, model);
  return isWhole;
}

const rowsOf = (found: Divergence): string =>
  [
    ["same top token", `${(100 * found.topAgreement).toFixed(2)} %`],
    [
      "KL, mean",
      `${found.klMean.toFixed(6)}${found.klMeanError === null ? "" : ` ± ${found.klMeanError.toFixed(6)}`}`,
    ],
    ["KL, 99th percentile", found.klP99.toFixed(6)],
    ["perplexity", `${found.perplexity.toFixed(4)}, reference ${found.referencePerplexity.toFixed(4)}`],
    ["perplexity ratio", found.perplexityRatio.toFixed(5)],
  ]
    .map(([name = "", value]) => `${name.padEnd(20)} ${value}\n`)
    .join("");

const countOf = (tokens: number, { ids }: Task): string =>
  tokens < ids.length - 1 ? `${tokens} of ${ids.length - 1} tokens` : `${tokens} tokens`;

function note({ output }: Context, options: TextOptions, text: string, model: Model): void {
  if (!options.quiet)
    output.note(`${text}, ${model.plan.weights}${withAdapter(options)} on ${model.adapter.name}`);
}
