// Perplexity of a long text by windows, as lm-evaluation-harness measures it (loglikelihood_rolling): each
// token is scored once. All windows but the first are full, so the last one has the most context.
import type { Model } from "../engine/api.ts";
import { mean, standardError } from "./statistics.ts";

/** Tokens ids[start … end), of which those from `from` on (counted from `start`) are scored. */
export interface Window {
  readonly start: number;
  readonly end: number;
  readonly from: number;
}

/**
 * @param count ids, with the one that comes before the text
 * @param maxLength tokens that the model reads in a window; one more is scored after the last of them
 * @param context tokens before the first that is scored, at least, in all windows but the first. 1: the
 * harness's
 */
export function* windows(count: number, maxLength: number, context = 1): Generator<Window, void, void> {
  const step = maxLength - context + 1;
  let end = Math.min(count, maxLength + 1);
  if (count > 1) yield { start: 0, end, from: 1 };
  while (end < count) {
    const scored = Math.min(step, count - end);
    end += scored;
    yield { start: end - maxLength - 1, end, from: maxLength + 1 - scored };
  }
}

export interface TextScores {
  /** Log-probability of each token that was scored. */
  readonly logProbs: readonly number[];
  /** Whether all tokens were. */
  readonly isWhole: boolean;
}

/** Scores `ids` window by window, until the signal is aborted. @param onScored called after each window */
export async function scoreWindows(
  model: Pick<Model, "score">,
  ids: readonly number[],
  asked: {
    readonly maxLength: number;
    readonly context: number;
    readonly signal: AbortSignal;
    readonly onScored?: (tokens: number) => void;
  },
): Promise<TextScores> {
  const { maxLength, context, signal, onScored } = asked;
  const logProbs: number[] = [];
  for (const { start, end, from } of windows(ids.length, maxLength, context)) {
    try {
      const score = await model.score(ids.slice(start, end), { from, signal });
      for (const value of score.logProbs) logProbs.push(value);
    } catch (error) {
      if (!signal.aborted) throw error;
      return { logProbs, isWhole: false };
    }
    onScored?.(logProbs.length);
  }
  return { logProbs, isWhole: true };
}

/** exp of the mean negative log-probability, by tokens. @param logProbs at least one */
export function tokenPerplexity(logProbs: readonly number[]): {
  readonly value: number;
  /** Standard error, from that of the mean; null for one token. */
  readonly error: number | null;
} {
  const value = Math.exp(-mean(logProbs));
  return { value, error: logProbs.length > 1 ? value * standardError(logProbs) : null };
}

export interface UnitPerplexities {
  readonly word: number;
  readonly byte: number;
  readonly bitsPerByte: number;
}

/**
 * The same sum over other units, which do not depend on the tokenizer. Words are what blanks separate,
 * counted as the harness does: a blank at the start or end counts a word without letters.
 * @param logProbs of the whole text
 */
export function unitPerplexities(text: string, logProbs: readonly number[]): UnitPerplexities {
  const sum = logProbs.reduce((a, b) => a + b, 0);
  const words = text.split(/\s+/).length;
  const { length: bytes } = new TextEncoder().encode(text);
  return {
    word: Math.exp(-sum / words),
    byte: Math.exp(-sum / bytes),
    bitsPerByte: -sum / bytes / Math.LN2,
  };
}
