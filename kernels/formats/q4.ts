import type { WeightFormat } from "./format.ts";
import { layouts } from "./layouts.ts";
import source from "./q4.wgsl?raw";
import { quantiseShader } from "./quantise-shader.ts";
import { tunedFormat } from "./tuned-format.ts";

/** Nibbles, value = (q - 8) * scale: 4.5 bits a weight. */
export const q4: WeightFormat = {
  ...layouts.q4,
  source: [source],
  wide: [tunedFormat("nibblesWide"), tunedFormat("q4Wide")],
  stream: [tunedFormat("nibblesStream"), tunedFormat("q4Stream")],
  int8: { source: tunedFormat("q4Int8"), order: "even_odd" },
  writer: [quantiseShader("q4"), quantiseShader("search"), quantiseShader("fixedPoint")],
};
