import type { Buffer } from "../kernel.ts";
import type { WeightFormat } from "./format.ts";

/** Test contents of `weight` or `scale` of an [N, K] matrix; undefined for other bindings. */
export function weightContents(
  format: WeightFormat,
  N: number,
  K: number,
  name: string,
  random: () => number,
): Buffer | undefined {
  const binding = format.bindings(N, K).find((candidate) => candidate.name === name);
  return binding && format.random(name, binding.length, random);
}
