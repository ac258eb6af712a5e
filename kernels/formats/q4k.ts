import { lazyShaders } from "../kernel.ts";
import { GROUP, sizesOf, type WeightFormat } from "./format.ts";
import { f16ToNumber } from "./half.ts";
import { quantiseShader } from "./quantise-shader.ts";
import { quantiseSuper } from "./quantise-super.ts";
import { superWords } from "./super-words.ts";
import { formatTable } from "./table.ts";
import { tunedFormat } from "./tuned-format.ts";

const shader = lazyShaders(() => import("./q4a-shaders.ts"));

const { group: SUPER } = formatTable.q4k;

/** Words of `scale` for a super-group. */
const WORDS = 4;

/**
 * Nibbles in the shape of llama.cpp's Q4_K, 4.5 bits a weight: value = d · scale · q - dmin · minimum, with
 * six bits of scale and minimum for each 32 weights of a row, and f16 d and dmin for each 256. The last
 * super-group of a row may be shorter. Padding has code 0, as in q4a.
 */
export const q4k: WeightFormat = {
  ...sizesOf("q4k"),
  source: [shader("superPairs"), shader("read")],
  wide: [shader("superPairs"), tunedFormat("nibblesWide"), shader("wide")],
  stream: [shader("superPairs"), tunedFormat("nibblesStream"), shader("stream")],
  writer: (["q4k", "pairCodes", "searchPair", "fixedPoint"] as const).map(quantiseShader),
  at([weight, scale], i, K) {
    const k = i % K;
    const first = WORDS * (Math.floor(i / K) * Math.ceil(K / SUPER) + Math.floor(k / SUPER));
    const j = Math.floor((k % SUPER) / GROUP);
    const byte = (scale![first + 1 + (j >> 2)]! >>> (8 * (j % 4))) & 255;
    const minimum = ((byte >> 6) << 4) | ((scale![first + 3]! >>> (4 * j)) & 15);
    const [d, dmin] = [scale![first]! & 0xffff, scale![first]! >>> 16].map(f16ToNumber);
    const code = (weight![i >> 3]! >>> (4 * (i % 8))) & 15;
    return d! * (byte & 63) * code - dmin! * minimum;
  },
  storeRow([weight, scale], n, row, columns = row.length) {
    const K = row.length;
    for (let k = 0; k < K; k += SUPER) {
      const { codes, ...steps } = quantiseSuper(row.subarray(k, Math.min(k + SUPER, columns)));
      scale!.set(superWords(steps), WORDS * (n * Math.ceil(K / SUPER) + k / SUPER));
      for (let i = k; i < Math.min(k + SUPER, K); i += 8) {
        let word = 0;
        for (let j = 0; j < 8; j++) word |= (codes[i - k + j] ?? 0) << (4 * j);
        weight![(n * K + i) / 8] = word;
      }
    }
  },
};
