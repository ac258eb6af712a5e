import roundedShift from "../snippets/rounded-shift.wgsl?raw";
import source from "./f16.wgsl?raw";
import type { WeightFormat } from "./format.ts";
import half from "./half-f16.wgsl?raw";
import { layouts } from "./layouts.ts";
import { tunedFormat } from "./tuned-format.ts";
import writer from "./write-halves.wgsl?raw";

export const f16: WeightFormat = {
  ...layouts.f16,
  source: [source],
  wide: [source, tunedFormat("wide")],
  stream: [source, tunedFormat("stream")],
  writer: [writer, half, roundedShift],
};
