import source from "./bf16.wgsl?raw";
import type { WeightFormat } from "./format.ts";
import { bf16ToNumber, numberToBf16 } from "./half.ts";

export const bf16: WeightFormat = {
  name: "bf16",
  source,
  words: (K) => K / 2,
  scaleWords: () => 0,
  bindings: (N, K) => [{ name: "weight", slot: 6, type: "u32", length: (N * K) / 2 }],
  at: ([weight], i) => bf16ToNumber((weight![i >> 1]! >>> (16 * (i % 2))) & 0xffff),
  random(_, length, next) {
    const half = () => numberToBf16(next() / 2 ** 31 - 1);
    return Uint32Array.from({ length }, () => half() | (half() << 16));
  },
};
