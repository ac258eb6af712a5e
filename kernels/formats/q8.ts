import type { WeightFormat } from "./format.ts";
import source from "./q8.wgsl?raw";
import { randomScales, scaleAt, scaleWords } from "./scale.ts";

/** Signed bytes, value = q * scale: 8.5 bits a weight. */
export const q8: WeightFormat = {
  name: "q8",
  source,
  words: (K) => K / 4,
  scaleWords,
  bindings: (N, K) => [
    { name: "weight", slot: 6, type: "u32", length: (N * K) / 4 },
    { name: "scale", slot: 7, type: "u32", length: N * scaleWords(K) },
  ],
  at: ([weight, scale], i, K) => ((weight![i >> 2]! << (24 - 8 * (i % 4))) >> 24) * scaleAt(scale!, i, K),
  random: (name, length, next) =>
    name === "scale" ? randomScales(length, 1 / 128, next) : Uint32Array.from({ length }, next),
};
