import { GROUP, sizesOf, type WeightFormat } from "./format.ts";
import source from "./q8.wgsl?raw";
import { quantise } from "./quantise.ts";
import { quantiseShader } from "./quantise-shader.ts";
import { scaleAt, storeScale } from "./scale.ts";
import { tunedFormat } from "./tuned-format.ts";

/** Signed bytes, value = q * scale: 8.5 bits a weight. */
export const q8: WeightFormat = {
  ...sizesOf("q8"),
  source: [source],
  wide: [tunedFormat("q8Wide")],
  stream: [tunedFormat("q8Stream")],
  int8: { source: tunedFormat("q8Int8"), order: "natural" },
  writer: [quantiseShader("q8"), quantiseShader("search"), quantiseShader("fixedPoint")],
  at: ([weight, scale], i, K) => ((weight![i >> 2]! << (24 - 8 * (i % 4))) >> 24) * scaleAt(scale!, i, K),
  storeRow([weight, scale], n, row) {
    for (let k = 0; k < row.length; k += GROUP) {
      const group = quantise(row.subarray(k, k + GROUP), { codes: 128, first: 120, last: 128, step: 0.5 });
      storeScale(scale!, n, k, row.length, group.scale);
      for (let i = 0; i < GROUP; i += 4) {
        let word = 0;
        for (let j = 0; j < 4; j++) word |= (group.q[i + j]! & 0xff) << (8 * j);
        weight![(n * row.length + k + i) / 4] = word;
      }
    }
  },
};
