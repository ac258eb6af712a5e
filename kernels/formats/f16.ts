import source from "./f16.wgsl?raw";
import type { WeightFormat } from "./format.ts";
import { f16ToNumber, numberToF16 } from "./half.ts";

export const f16: WeightFormat = {
  name: "f16",
  source,
  words: (K) => K / 2,
  scaleWords: () => 0,
  bindings: (N, K) => [{ name: "weight", slot: 6, type: "u32", length: (N * K) / 2 }],
  at: ([weight], i) => f16ToNumber((weight![i >> 1]! >>> (16 * (i % 2))) & 0xffff),
  random(_, length, next) {
    const half = () => numberToF16(next() / 2 ** 31 - 1);
    return Uint32Array.from({ length }, () => half() | (half() << 16));
  },
};
