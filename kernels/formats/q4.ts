import { GROUP, sizesOf, type WeightFormat } from "./format.ts";
import source from "./q4.wgsl?raw";
import { quantise } from "./quantise.ts";
import { quantiseShader } from "./quantise-shader.ts";
import { scaleAt, storeScale } from "./scale.ts";
import { tunedFormat } from "./tuned-format.ts";

/** Nibbles, value = (q - 8) * scale: 4.5 bits a weight. */
export const q4: WeightFormat = {
  ...sizesOf("q4"),
  source: [source],
  wide: [tunedFormat("nibblesWide"), tunedFormat("q4Wide")],
  stream: [tunedFormat("nibblesStream"), tunedFormat("q4Stream")],
  int8: { source: tunedFormat("q4Int8"), order: "even_odd" },
  writer: [quantiseShader("q4"), quantiseShader("search"), quantiseShader("fixedPoint")],
  at: ([weight, scale], i, K) => (((weight![i >> 3]! >>> (4 * (i % 8))) & 15) - 8) * scaleAt(scale!, i, K),
  storeRow([weight, scale], n, row) {
    for (let k = 0; k < row.length; k += GROUP) {
      const group = quantise(row.subarray(k, k + GROUP), { codes: 8, first: 6, last: 9, step: 0.25 });
      storeScale(scale!, n, k, row.length, group.scale);
      for (let i = 0; i < GROUP; i += 8) {
        let word = 0;
        for (let j = 0; j < 8; j++) word |= (group.q[i + j]! + 8) << (4 * j);
        weight![(n * row.length + k + i) / 8] = word;
      }
    }
  },
};
