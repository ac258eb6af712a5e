import type { ModelConfig } from "../../weights/index.ts";

/**
 * Radians per position for each of the d/2 rotation pairs: θ^(−2i/d) (Su et al. 2021), scaled by the rule of
 * config.json. `linear` divides all by the factor (Chen et al. 2023). `llama3` (Llama 3.1) divides slow
 * frequencies, keeps fast ones, and blends those between.
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
    // Turns within the original context: a slow frequency makes few.
    const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
    const fast = Math.min(1, Math.max(0, (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor)));
    return fast * frequency + (1 - fast) * (frequency / factor);
  });
}
