import { lazyShaders } from "../kernel.ts";
import { sizesOf, type WeightFormat } from "./format.ts";
import { f16ToNumber } from "./half.ts";
import { quantisePair } from "./quantise-pair.ts";
import { quantiseShader } from "./quantise-shader.ts";
import { formatTable, type pairedFormats } from "./table.ts";
import { tunedFormat } from "./tuned-format.ts";

const shader = lazyShaders(() => import("./q4a-shaders.ts"));

/** A pair of f16 bit patterns as the word that a row of `scale` has for each group: a in the low half. */
const pairWord = (a: number, b: number): number => (a | (b << 16)) >>> 0;

/**
 * Nibbles, value = a * q + b, with a pair (a, b) for each 32, 64 or 128 weights of a row: 5, 4.5 or 4.25 bits
 * a weight. The last group of a row may be shorter. Its padding has code 0, which stands for b: what reads a
 * row past its width multiplies with zeros or leaves the columns out.
 */
export function q4a(name: (typeof pairedFormats)[keyof typeof pairedFormats]): WeightFormat {
  const { group } = formatTable[name];
  const pairs = (K: number) => Math.ceil(K / group);
  const groups = `const GROUP = ${group}u;`;
  return {
    ...sizesOf(name),
    source: [groups, shader("read")],
    wide: [groups, tunedFormat("nibblesWide"), shader("wide")],
    stream: [groups, tunedFormat("nibblesStream"), shader("stream")],
    writer: [groups, ...(["q4a", "searchPair", "fixedPoint"] as const).map(quantiseShader)],
    at([weight, scale], i, K) {
      const pair = scale![Math.floor(i / K) * pairs(K) + Math.floor((i % K) / group)]!;
      const code = (weight![i >> 3]! >>> (4 * (i % 8))) & 15;
      return f16ToNumber(pair & 0xffff) * code + f16ToNumber(pair >>> 16);
    },
    storeRow([weight, scale], n, row, columns = row.length) {
      for (let k = 0; k < row.length; k += group) {
        const { q, a, b } = quantisePair(row.subarray(k, Math.min(k + group, columns)));
        scale![n * pairs(row.length) + k / group] = pairWord(a, b);
        for (let i = k; i < Math.min(k + group, row.length); i += 8) {
          let word = 0;
          for (let j = 0; j < 8; j++) word |= (q[i - k + j] ?? 0) << (4 * j);
          weight![(n * row.length + i) / 8] = word;
        }
      }
    },
  };
}
