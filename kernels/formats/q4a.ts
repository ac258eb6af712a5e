import { lazyShaders } from "../kernel.ts";
import type { WeightFormat } from "./format.ts";
import { layouts } from "./layouts.ts";
import { quantiseShader } from "./quantise-shader.ts";
import { formatTable, type pairedFormats } from "./table.ts";
import { tunedFormat } from "./tuned-format.ts";

const shader = lazyShaders(() => import("./q4a-shaders.ts"));

/** Nibbles with a pair (a, b) for each 32, 64 or 128 weights of a row, as layouts.ts stores them. */
export function q4a(name: (typeof pairedFormats)[keyof typeof pairedFormats]): WeightFormat {
  const { group } = formatTable[name];
  const groups = `const GROUP = ${group}u;`;
  return {
    ...layouts[name],
    source: [groups, shader("pairs"), shader("read")],
    wide: [groups, shader("pairs"), tunedFormat("nibblesWide"), shader("wide")],
    stream: [groups, shader("pairs"), tunedFormat("nibblesStream"), shader("stream")],
    writer: [groups, ...(["q4a", "pairCodes", "searchPair", "fixedPoint"] as const).map(quantiseShader)],
  };
}
