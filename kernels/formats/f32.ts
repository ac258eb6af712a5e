import source from "./f32.wgsl?raw";
import { sizesOf, type WeightFormat } from "./format.ts";
import { tunedFormat } from "./tuned-format.ts";
import writer from "./write-f32.wgsl?raw";

export const f32: WeightFormat = {
  ...sizesOf("f32"),
  source: [source],
  wide: [source, tunedFormat("wide")],
  stream: [source, tunedFormat("stream")],
  writer: [writer],
  at: ([weight], i) => weight![i]!,
  storeRow([weight], n, row) {
    new Uint32Array(weight!.buffer, weight!.byteOffset).set(row, n * row.length);
  },
};
