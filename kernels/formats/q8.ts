import type { WeightFormat } from "./format.ts";
import { layouts } from "./layouts.ts";
import source from "./q8.wgsl?raw";
import { quantiseShader } from "./quantise-shader.ts";
import { tunedFormat } from "./tuned-format.ts";

/** Signed bytes, value = q * scale: 8.5 bits a weight. */
export const q8: WeightFormat = {
  ...layouts.q8,
  source: [source],
  wide: [tunedFormat("q8Wide")],
  stream: [tunedFormat("q8Stream")],
  int8: { source: tunedFormat("q8Int8"), order: "natural" },
  writer: [quantiseShader("q8"), quantiseShader("search"), quantiseShader("fixedPoint")],
};
