// Which of some labels a text is: the prompt is computed once, then the tokens of each label are scored after
// it.
import type { ChatOptions, Classification, ClassifyOptions, Message, Plan } from "../api.ts";
import { ContextLengthError } from "../errors.ts";
import type { AdapterMix } from "../graph/adapter-use.ts";
import { score } from "../graph/score.ts";
import {
  adapter,
  checkOptions,
  flag,
  type Rules,
  signal as signalRule,
  text as textRule,
} from "../options/check.ts";
import { outOfRange, shown, unsupported, wrongType } from "../options/parameter.ts";
import type { GpuModel } from "../resident/gpu-model.ts";
import type { RingState } from "../scheduler/ring-state.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";

/** A label of more tokens is a text. Each label costs a pass over the weights. */
const MAX_LABELS = 64;
const MAX_LABEL_TOKENS = 64;

const PROMPT = `Which of these labels fits the text best? Answer with one of the labels, exactly as it is written here, and with nothing else.

Labels:
{labels}

Text:
{text}`;

const rules: Rules<ClassifyOptions> = {
  ...{ prompt: textRule, raw: flag, normalize: flag },
  ...{ adapter, signal: signalRule },
};

type Ids = readonly number[];

/** What `classify` needs of a model. */
export interface Classifier {
  readonly scheduler: Scheduler;
  readonly adapters: {
    using<T>(
      choice: ClassifyOptions["adapter"],
      use: (mix: AdapterMix | undefined) => Promise<T>,
    ): Promise<T>;
  };
  readonly plan: Pick<Plan, "contextLength" | "chunkLength">;
  /** Tokens that end an answer. */
  readonly endIds: ReadonlySet<number>;
  readonly prompts: {
    readonly ofText: (
      text: string,
      parameter: string,
      suffix: boolean,
      signal: AbortSignal | undefined,
    ) => Promise<Ids>;
    readonly ofChat: (
      messages: readonly Message[],
      options: Pick<ChatOptions, "continueFinalMessage" | "signal">,
    ) => Promise<{ readonly ids: Ids }>;
  };
}

/** @throws TypeError, RangeError with `parameter`; ContextLengthError */
export async function classify<Label extends string>(
  classifier: Classifier,
  text: string | readonly Message[],
  labels: readonly Label[],
  options: ClassifyOptions,
): Promise<Classification<Label>> {
  checkOptions("classify", options, rules);
  checkLabels(labels);
  const { scheduler, adapters, plan } = classifier;
  const { signal, normalize = false } = options;
  const { prompt, endings } = await encode(classifier, text, labels, options);
  const longest = Math.max(...endings.map(({ length }) => length));
  if (prompt.length + longest > plan.contextLength) {
    const got = `${prompt.length} of the prompt and up to ${longest} of a label`;
    throw new ContextLengthError(
      `tokens: expected at most ${plan.contextLength}, got ${got}. Shorten the text, or load with a larger contextLength.`,
    );
  }
  const { sums, cachedTokens } = await adapters.using(options.adapter, (mix) =>
    scheduler.runExclusive(
      (rings) => rings.take(prompt, mix),
      (gpuModel, ring) => scoreEndings(gpuModel, ring, prompt, endings, mix, signal),
      { signal },
    ),
  );
  const scores = normalize ? sums.map((sum, i) => sum / endings[i]!.length) : sums;
  const probabilities = softmax(scores);
  return {
    label: labels[scores.indexOf(Math.max(...scores))]!,
    probabilities: Object.fromEntries(labels.map((label, i) => [label, probabilities[i]!])) as Record<
      Label,
      number
    >,
    promptTokens: prompt.length,
    cachedTokens,
  };
}

function checkLabels(labels: readonly string[]): void {
  const expected = `expected a list of 2 to ${MAX_LABELS} labels, got ${shown(labels)}.`;
  if (!Array.isArray(labels)) throw wrongType("labels", expected);
  if (labels.length < 2 || labels.length > MAX_LABELS) throw outOfRange("labels", expected);
  for (const [i, label] of labels.entries()) {
    const where = `labels[${i}]`;
    if (typeof label !== "string") throw wrongType(where, `expected a text, got ${shown(label)}.`);
    if (label.trim() === "") throw outOfRange(where, "expected a text that is not empty, got an empty one.");
    const first = labels.indexOf(label);
    if (first < i) throw outOfRange(where, `expected another label than labels[${first}], got it again.`);
  }
}

/**
 * The tokens that all labels share, and those of each label after them.
 *
 * Each label is encoded with the prompt as a whole: at the border its first token may be merged with the last
 * one of the prompt, as it would be in `score`.
 */
async function encode(
  { prompts, endIds, plan }: Classifier,
  text: string | readonly Message[],
  labels: readonly string[],
  { prompt, raw = false, signal }: ClassifyOptions,
): Promise<{ readonly prompt: Ids; readonly endings: readonly Ids[] }> {
  if (typeof text !== "string") {
    if (!Array.isArray(text)) throw wrongType("text", `expected a text or messages, got ${shown(text)}.`);
    const refused = prompt !== undefined ? "prompt" : raw ? "raw" : undefined;
    if (refused) throw unsupported(refused, `${refused}: expected none with messages. Leave it out.`);
  }
  const filled = (template: string) =>
    template.replace(/\{(text|labels)\}/g, (_, name) =>
      name === "text" ? (text as string) : labels.map((label) => `- ${label}`).join("\n"),
    );
  if (prompt !== undefined && !prompt.includes("{text}"))
    throw outOfRange("prompt", "expected {text} in it, got none. Write it where the text goes.");
  const ids: Ids[] = [];
  const cancel = signal ? { signal } : {};
  if (raw) {
    const all = prompt === undefined ? (text as string) : filled(prompt);
    for (const label of ["", ...labels]) ids.push(await prompts.ofText(all + label, "text", false, signal));
  } else {
    const messages: readonly Message[] =
      typeof text === "string" ? [{ role: "user", content: filled(prompt ?? PROMPT) }] : text;
    ids.push((await prompts.ofChat(messages, cancel)).ids);
    for (const content of labels) {
      const answered: readonly Message[] = [...messages, { role: "assistant", content }];
      ids.push((await prompts.ofChat(answered, { ...cancel, continueFinalMessage: true })).ids);
    }
  }
  const shared = commonPrefix(ids);
  if (shared === 0) throw outOfRange("text", "expected at least one token before the labels, got none.");
  const endings = ids.slice(1).map((each) => each.slice(shared));
  checkEndings(endings, Math.min(MAX_LABEL_TOKENS, plan.chunkLength));
  // A label that another begins with would always win: it counts only if the answer ends there.
  const begins = endings.some((a) => endings.some((b) => a !== b && isPrefix(a, b)));
  const end = begins ? [...endIds].slice(0, 1) : [];
  return { prompt: ids[0]!.slice(0, shared), endings: endings.map((each) => [...each, ...end]) };
}

function checkEndings(endings: readonly Ids[], most: number): void {
  for (const [i, ending] of endings.entries()) {
    const where = `labels[${i}]`;
    if (ending.length === 0 || ending.length > most)
      throw outOfRange(where, `expected a label of 1 to ${most} tokens, got ${ending.length}. Shorten it.`);
    const first = endings.findIndex((each) => each.length === ending.length && isPrefix(each, ending));
    if (first < i) throw outOfRange(where, `expected other tokens than those of labels[${first}], got them.`);
  }
}

const isPrefix = (a: Ids, b: Ids): boolean => a.length <= b.length && a.every((id, i) => id === b[i]);

function commonPrefix([first = [], ...others]: readonly Ids[]): number {
  const differs = (id: number, i: number) => others.some((each) => each[i] !== id);
  const at = first.findIndex(differs);
  return at < 0 ? first.length : at;
}

/** The sum of the log-probabilities of each ending after the prompt. */
async function* scoreEndings(
  { decoder }: GpuModel,
  ring: RingState,
  prompt: Ids,
  endings: readonly Ids[],
  mix: AdapterMix | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<void, { readonly sums: readonly number[]; readonly cachedTokens: number }, void> {
  ring.use(mix, decoder);
  const start = ring.reusable(prompt, mix);
  ring.begin(prompt, start);
  ring.wrote(prompt.length);
  yield* decoder.prefillInChunks(ring.index, prompt.slice(start), start, signal);
  const first = logSoftmax(await decoder.logits(ring.index, prompt.length - 1));
  ring.commit(prompt, prompt.length, "prefill");
  const sums: number[] = [];
  for (const ending of endings) {
    let sum = first(ending[0]!);
    if (ending.length > 1) {
      yield;
      // The ending before is overwritten: no query sees a later position.
      const ids = [...prompt, ...ending];
      ring.wrote(ids.length - 1);
      const { logProbs } = yield* score(decoder, ring.index, ids, signal, prompt.length);
      sum = logProbs.reduce((total, value) => total + value, sum);
    }
    sums.push(sum);
  }
  return { sums, cachedTokens: start };
}

/** The log-probability of an id. */
function logSoftmax(logits: Float32Array): (id: number) => number {
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = logits.reduce((total, value) => total + Math.exp(value - most), 0);
  const offset = most + Math.log(sum);
  return (id) => logits[id]! - offset;
}

function softmax(scores: readonly number[]): readonly number[] {
  const most = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - most));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}
