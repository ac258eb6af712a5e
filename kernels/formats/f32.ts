import source from "./f32.wgsl?raw";
import type { WeightFormat } from "./format.ts";
import { layouts } from "./layouts.ts";
import { tunedFormat } from "./tuned-format.ts";
import writer from "./write-f32.wgsl?raw";

export const f32: WeightFormat = {
  ...layouts.f32,
  source: [source],
  wide: [source, tunedFormat("wide")],
  stream: [source, tunedFormat("stream")],
  writer: [writer],
};
