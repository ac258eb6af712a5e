// Log-probabilities of a picked token and of the likeliest tokens.
import type { StreamDecoder } from "../../tokenizer/index.ts";
import type { LikelyToken } from "../api.ts";

/**
 * Log-probabilities of `id` and of the `count` likeliest tokens.
 * @param logits [V], before penalties and temperature
 */
export function likelihoods(id: number, logits: Float32Array, count: number) {
  const logSum = logSumExp(logits);
  const logProb = (each: number): number => logits[each]! - logSum;
  return {
    logProb: logProb(id),
    top: likeliest(logits, count).map((each) => ({ id: each, logProb: logProb(each) })),
  };
}

/** log Σ exp(logit), in float64. A logit minus this is a log-probability. */
export function logSumExp(logits: Float32Array): number {
  const largest = logits.reduce((most, x) => Math.max(most, x), -Infinity);
  return largest + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - largest), 0));
}

/** Ids of the `count` largest logits, in descending order; of equal ones the lower id first. */
export function likeliest(logits: Float32Array, count: number): number[] {
  const best: number[] = [];
  for (let id = 0; id < logits.length && count > 0; id++) {
    if (best.length === count && logits[id]! <= logits[best.at(-1)!]!) continue;
    let at = best.length;
    while (at > 0 && logits[id]! > logits[best[at - 1]!]!) at--;
    best.splice(at, 0, id);
    best.length = Math.min(best.length, count);
  }
  return best;
}

/** A token with what it alone would add to the text. @param decoder undefined: ids have no text */
export function likelyToken(
  { id, logProb }: Pick<LikelyToken, "id" | "logProb">,
  decoder: StreamDecoder | undefined,
): LikelyToken {
  const bytes = decoder?.bytesHere(id) ?? new Uint8Array();
  return { id, text: textAlone(bytes), bytes: [...bytes], logProb };
}

/** Bytes that are only part of a character are U+FFFD. */
export const textAlone = (bytes: Uint8Array): string =>
  new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
