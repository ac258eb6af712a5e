// How far a model's distributions are from a reference's: at every token of a text, over the whole
// vocabulary.
import type { Model } from "../engine/api.ts";
import { windows } from "./perplexity.ts";
import { mean, percentile, standardError } from "./statistics.ts";

/** Two distributions of the next token. */
export interface Comparison {
  /** Kullback-Leibler divergence of the model's from the reference's, Σ p·ln(p/q), in nats. */
  readonly kl: number;
  /** Whether both have the same likeliest token. */
  readonly sameTop: boolean;
  /** Log-probability of the token that comes, by the reference and by the model. */
  readonly reference: number;
  readonly logProb: number;
}

/** @param reference logits [V]; `logits` as many */
export function compareLogits(reference: Float32Array, logits: Float32Array, next: number): Comparison {
  const [p, q] = [normaliser(reference), normaliser(logits)];
  let kl = 0;
  for (let i = 0; i < reference.length; i++) {
    const logP = (reference[i] as number) - p.logSum;
    const logQ = (logits[i] as number) - q.logSum;
    const probability = Math.exp(logP);
    // p·ln(p/q) tends to 0 with p.
    if (probability > 0) kl += probability * (logP - logQ);
  }
  return {
    // Rounding may leave a sum just below zero.
    kl: Math.max(0, kl),
    sameTop: p.top === q.top,
    reference: (reference[next] as number) - p.logSum,
    logProb: (logits[next] as number) - q.logSum,
  };
}

/** The likeliest token, and ln Σ exp. */
function normaliser(logits: Float32Array): { readonly top: number; readonly logSum: number } {
  let top = 0;
  for (let i = 1; i < logits.length; i++) if ((logits[i] as number) > (logits[top] as number)) top = i;
  const most = logits[top] as number;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - most);
  return { top, logSum: most + Math.log(sum) };
}

/** Logits [V] after the last of some ids. */
export type Logits = (ids: readonly number[], signal: AbortSignal) => Promise<Float32Array>;

export const logitsOf =
  (model: Pick<Model, "logits">): Logits =>
  (ids, signal) =>
    model.logits(ids, { signal });

/**
 * Compares two models at every token of `ids` but the first, until the signal is aborted. Windows are those
 * of `windows`. A ring keeps what is before, so each token costs about a decode step in both models.
 */
export async function compareModels(
  reference: Logits,
  model: Logits,
  ids: readonly number[],
  asked: {
    readonly maxLength: number;
    readonly context: number;
    readonly signal: AbortSignal;
    readonly onCompared?: (tokens: number) => void;
  },
): Promise<readonly Comparison[]> {
  const { maxLength, context, signal, onCompared } = asked;
  const found: Comparison[] = [];
  for (const { start, end, from } of windows(ids.length, maxLength, context)) {
    for (let at = start + from; at < end; at++) {
      if (signal.aborted) return found;
      const before = ids.slice(start, at);
      try {
        const [expected, actual] = [await reference(before, signal), await model(before, signal)];
        found.push(compareLogits(expected, actual, ids[at] as number));
      } catch (error) {
        if (!signal.aborted) throw error;
        return found;
      }
      onCompared?.(found.length);
    }
  }
  return found;
}

export interface Divergence {
  readonly tokens: number;
  /** Share of tokens with the same likeliest one. */
  readonly topAgreement: number;
  /** Nats. */
  readonly klMean: number;
  /** Standard error of the mean; null for one token. */
  readonly klMeanError: number | null;
  readonly klP99: number;
  readonly perplexity: number;
  readonly referencePerplexity: number;
  /** The model's over the reference's: above 1, the model is worse. */
  readonly perplexityRatio: number;
}

/** @param comparisons at least one */
export function summarise(comparisons: readonly Comparison[]): Divergence {
  const kls = comparisons.map(({ kl }) => kl);
  const perplexity = Math.exp(-mean(comparisons.map(({ logProb }) => logProb)));
  const referencePerplexity = Math.exp(-mean(comparisons.map(({ reference }) => reference)));
  return {
    tokens: comparisons.length,
    topAgreement: mean(comparisons.map(({ sameTop }) => Number(sameTop))),
    klMean: mean(kls),
    klMeanError: kls.length > 1 ? standardError(kls) : null,
    klP99: percentile(kls, 0.99),
    perplexity,
    referencePerplexity,
    perplexityRatio: perplexity / referencePerplexity,
  };
}
