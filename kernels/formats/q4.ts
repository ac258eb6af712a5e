import type { WeightFormat } from "./format.ts";
import source from "./q4.wgsl?raw";
import { randomScales, scaleAt, scaleWords } from "./scale.ts";

/** Nibbles, value = (q - 8) * scale: 4.5 bits a weight. */
export const q4: WeightFormat = {
  name: "q4",
  source,
  words: (K) => K / 8,
  scaleWords,
  bindings: (N, K) => [
    { name: "weight", slot: 6, type: "u32", length: (N * K) / 8 },
    { name: "scale", slot: 7, type: "u32", length: N * scaleWords(K) },
  ],
  at: ([weight, scale], i, K) => (((weight![i >> 3]! >>> (4 * (i % 8))) & 15) - 8) * scaleAt(scale!, i, K),
  random: (name, length, next) =>
    name === "scale" ? randomScales(length, 1 / 8, next) : Uint32Array.from({ length }, next),
};
