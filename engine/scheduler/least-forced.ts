// From how many tokens on a prefill pass for the tokens that a constraint forces takes less time than a step
// for each.
import { matmulVariants } from "../../kernels/index.ts";
import type { KernelChoice } from "../api.ts";

/**
 * A pass multiplies whole tiles of tokens, used or not. So many tokens of a tile take as long as a step: 16
 * take three on lavapipe (bench/RESULTS.md), on GPUs it is a prediction.
 */
const TOKENS_PER_STEP = 5;

/** The same for every answer of a model, so that no answer depends on who else runs. */
export function leastForced(matmul: KernelChoice["matmul"]): number {
  const tiles = Object.values(matmul).map((variant) => matmulVariants[variant].tile[0]);
  return 1 + Math.ceil(Math.max(...tiles) / TOKENS_PER_STEP);
}
