// Multiple choice: each answer is scored after its question, and the likeliest counts. As
// lm-evaluation-harness defines its output type multiple_choice.
import type { Model } from "../engine/api.ts";
import type { Choice, Question } from "./question.ts";
import { mean, standardError } from "./statistics.ts";

/** What a question is asked with. */
export interface Asking {
  /** Examples before the question, at most. Each has its question's lead. */
  readonly examples: readonly Question[];
  readonly signal: AbortSignal;
  /** Called for each choice that is too long for the context: the beginning of its text is left out. */
  readonly onCut?: () => void;
}

/** Sum of the log-probabilities of each choice's tokens, [choices]. */
export type ChoiceScores = readonly number[];

export type Scorer = Pick<Model, "encode" | "score" | "contextLength">;

/** Scores the choices of a question one by one: they share its context in the cache. */
export async function scoreChoices(
  model: Scorer,
  { choices, lead = "" }: Question,
  { examples, signal, onCut }: Asking,
): Promise<ChoiceScores> {
  const before = lead + examples.map((each) => `${solved(each)}\n\n`).join("");
  const sums: number[] = [];
  for (const choice of choices) sums.push(await scoreChoice(model, before, choice, { signal, onCut }));
  return sums;
}

/** A question with its answer, as an example shows it. */
function solved({ choices, answer }: Question): string {
  const { context, continuation } = choices[answer] as Choice;
  return context + continuation;
}

async function scoreChoice(
  model: Scorer,
  before: string,
  { context, continuation }: Choice,
  { signal, onCut }: { readonly signal: AbortSignal; readonly onCut: (() => void) | undefined },
): Promise<number> {
  const all = await model.encode(before + context + continuation, { signal });
  // Blanks at the end of the context belong to the first token of the continuation.
  const shared = await model.encode((before + context).trimEnd(), { signal });
  if (all.length > model.contextLength) onCut?.();
  const ids = all.slice(-model.contextLength);
  const from = Math.min(shared.length, all.length - 1) - (all.length - ids.length);
  const { logProbs } = await model.score(ids, { from: Math.max(1, from), signal });
  return logProbs.reduce((sum, value) => sum + value, 0);
}

/** Whether the highest score is the right answer's: of the sum, and of the sum over the answer's length. */
export interface Verdict {
  readonly acc: boolean;
  /** Over Unicode characters: the harness's acc_norm. */
  readonly accNorm: boolean;
  /** Over UTF-8 bytes. */
  readonly accBytes: boolean;
}

export function judge({ choices, answer }: Question, scores: ChoiceScores): Verdict {
  const isBest = (lengthOf: (text: string) => number): boolean => {
    const normalised = scores.map((score, i) => score / lengthOf((choices[i] as Choice).text));
    return normalised.indexOf(Math.max(...normalised)) === answer;
  };
  return {
    acc: isBest(() => 1),
    accNorm: isBest((text) => [...text].length),
    accBytes: isBest((text) => new TextEncoder().encode(text).length),
  };
}

export interface Accuracy {
  readonly value: number;
  /** Standard error of the mean; null for a single question. */
  readonly error: number | null;
}

export type Accuracies = Readonly<Record<keyof Verdict, Accuracy>>;

/** @param verdicts at least one */
export function accuracies(verdicts: readonly Verdict[]): Accuracies {
  const of = (name: keyof Verdict): Accuracy => {
    const hits = verdicts.map((verdict) => Number(verdict[name]));
    return { value: mean(hits), error: hits.length > 1 ? standardError(hits) : null };
  };
  return { acc: of("acc"), accNorm: of("accNorm"), accBytes: of("accBytes") };
}
