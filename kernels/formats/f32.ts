import source from "./f32.wgsl?raw";
import type { WeightFormat } from "./format.ts";

export const f32: WeightFormat = {
  name: "f32",
  source,
  words: (K) => K,
  scaleWords: () => 0,
  bindings: (N, K) => [{ name: "weight", slot: 6, type: "f32", length: N * K }],
  at: ([weight], i) => weight![i]!,
  random: (_, length, next) => Float32Array.from({ length }, () => next() / 2 ** 31 - 1),
};
