import { lazyShaders } from "../kernel.ts";
import type { WeightFormat } from "./format.ts";
import { layouts } from "./layouts.ts";
import { quantiseShader } from "./quantise-shader.ts";
import { tunedFormat } from "./tuned-format.ts";

const shader = lazyShaders(() => import("./q4a-shaders.ts"));

/** Nibbles in the shape of llama.cpp's Q4_K, as layouts.ts stores them. */
export const q4k: WeightFormat = {
  ...layouts.q4k,
  source: [shader("superPairs"), shader("read")],
  wide: [shader("superPairs"), tunedFormat("nibblesWide"), shader("wide")],
  stream: [shader("superPairs"), tunedFormat("nibblesStream"), shader("stream")],
  writer: (["q4k", "pairCodes", "searchPair", "fixedPoint"] as const).map(quantiseShader),
};
