import roundedShift from "../snippets/rounded-shift.wgsl?raw";
import source from "./bf16.wgsl?raw";
import { sizesOf, type WeightFormat } from "./format.ts";
import { bf16ToNumber, f32BitsToBf16 } from "./half.ts";
import half from "./half-bf16.wgsl?raw";
import { tunedFormat } from "./tuned-format.ts";
import writer from "./write-halves.wgsl?raw";

export const bf16: WeightFormat = {
  ...sizesOf("bf16"),
  source: [source],
  wide: [source, tunedFormat("wide")],
  stream: [source, tunedFormat("stream")],
  writer: [writer, half, roundedShift],
  at: ([weight], i) => bf16ToNumber((weight![i >> 1]! >>> (16 * (i % 2))) & 0xffff),
  storeRow([weight], n, row) {
    for (let k = 0; k < row.length; k += 2) {
      weight![(n * row.length + k) / 2] = f32BitsToBf16(row[k]!) | (f32BitsToBf16(row[k + 1]!) << 16);
    }
  },
};
