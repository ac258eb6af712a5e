import type { ModelConfig } from "../../weights/index.ts";

/**
 * Radians a position for each of the d/2 rotation pairs: θ^(−2i/d) (Su et al. 2021), stretched as config.json says:
 * `linear` divides all by the factor (Chen et al. 2023); `llama3` divides the slow ones, keeps the fast ones, and blends
 * between (the rule of Llama 3.1).
 */
export function ropeFrequencies({
  d,
  ropeTheta,
  ropeScaling,
}: Pick<ModelConfig, "d" | "ropeTheta" | "ropeScaling">): number[] {
  const plain = Array.from({ length: d / 2 }, (_, i) => ropeTheta ** ((-2 * i) / d));
  if (!ropeScaling) return plain;
  const { factor } = ropeScaling;
  if (ropeScaling.type === "linear") return plain.map((frequency) => frequency / factor);
  const { lowFreqFactor, highFreqFactor, originalMaxPositions } = ropeScaling;
  return plain.map((frequency) => {
    // Turns within the original context: few turns are slow.
    const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
    const fast = Math.min(1, Math.max(0, (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor)));
    return fast * frequency + (1 - fast) * (frequency / factor);
  });
}
