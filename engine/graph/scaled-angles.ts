// How RoPE's frequencies are scaled for long contexts.
import type { RopeScaling } from "../../weights/index.ts";

/** The angles of RoPE: radians per position for each of the d/2 pairs, and the factor of cos and sin. */
export interface RopeAngles {
  readonly frequencies: readonly number[];
  readonly magnitude: number;
}

type Rule<Type> = Extract<RopeScaling, { readonly type: Type }>;

/**
 * `linear` divides all frequencies by the factor (Chen et al. 2023). `llama3` (Llama 3.1) and `yarn` (Peng et
 * al. 2023) divide slow ones, keep fast ones, and blend those between.
 * @param plain the frequencies without scaling, one for each of the d/2 pairs
 */
export function scaledAngles(plain: readonly number[], theta: number, scaling: RopeScaling): RopeAngles {
  const { type, factor } = scaling;
  /** How much of its own frequency each pair keeps. */
  const kept =
    type === "linear"
      ? () => 0
      : type === "llama3"
        ? llama3(scaling)
        : yarn(scaling, theta, 2 * plain.length);
  return {
    frequencies: plain.map((frequency, i) => {
      const own = kept(frequency, i);
      return own * frequency + (1 - own) * (frequency / factor);
    }),
    magnitude: type === "yarn" ? scaling.magnitude : 1,
  };
}

const clamp = (x: number, min: number, max: number): number => Math.min(max, Math.max(min, x));

const llama3 =
  ({ lowFreqFactor, highFreqFactor, originalMaxPositions }: Rule<"llama3">) =>
  (frequency: number): number => {
    // Turns within the original context: a slow frequency makes few.
    const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
    return clamp((turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor), 0, 1);
  };

function yarn(
  { betaFast, betaSlow, truncate, originalMaxPositions }: Rule<"yarn">,
  theta: number,
  d: number,
) {
  /** The pair, in fractions, that makes so many turns within the original context. */
  const pairOf = (turns: number): number =>
    (d * Math.log(originalMaxPositions / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const [first, last] = [pairOf(betaFast), pairOf(betaSlow)];
  const low = Math.max(truncate ? Math.floor(first) : first, 0);
  const high = Math.min(truncate ? Math.ceil(last) : last, d - 1);
  // As in transformers, which divides by this in place of 0.
  const width = high === low ? 1e-3 : high - low;
  return (_: number, pair: number): number => 1 - clamp((pair - low) / width, 0, 1);
}
