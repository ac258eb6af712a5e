import type { ModelConfig } from "../../weights/index.ts";
import type { RopeAngles } from "./scaled-angles.ts";

/** θ^(−2i/d) for pair i (Su et al. 2021), scaled by the rule of config.json. */
export async function ropeAngles({
  d,
  ropeTheta,
  ropeScaling,
}: Pick<ModelConfig, "d" | "ropeTheta" | "ropeScaling">): Promise<RopeAngles> {
  const frequencies = Array.from({ length: d / 2 }, (_, i) => ropeTheta ** ((-2 * i) / d));
  if (!ropeScaling) return { frequencies, magnitude: 1 };
  // Plain models do not fetch it.
  const { scaledAngles } = await import("./scaled-angles.ts");
  return scaledAngles(frequencies, ropeTheta, ropeScaling);
}
