// How the rows of a weight matrix lie in buffers, and how they are written and read: the part of a weight
// format that needs no shader.
import type { Binding, Buffer } from "../kernel.ts";
import { bf16ToNumber, f16ToNumber, f32BitsToBf16, f32BitsToF16 } from "./half.ts";
import { quantise, scaleSearches } from "./quantise.ts";
import { quantisePair } from "./quantise-pair.ts";
import { quantiseSuper } from "./quantise-super.ts";
import { scaleAt, storeScale } from "./scale.ts";
import { superWords } from "./super-words.ts";
import {
  formatTable,
  GROUP,
  type pairedFormats,
  scaleWords,
  type WeightFormatName,
  weightWords,
} from "./table.ts";

/** How a weight matrix [N, K] is stored. K is a multiple of GROUP. */
export interface Layout {
  readonly name: WeightFormatName;
  /** u32 words of one row of `weight`. */
  words(K: number): number;
  /**
   * u32 words of one row of `scale`: two scales, or the pair of a group, in each; four for a super-group. 0
   * for formats without.
   */
  scaleWords(K: number): number;
  /** The buffers of N rows: `weight` at slot 6; `scale` at slot 7 if the format has scales. */
  bindings(N: number, K: number): readonly Binding[];
  /** The entry at flat index i = n * K + k. In padding it may be any number. */
  at(buffers: readonly Buffer[], i: number, K: number): number;
  /** Stores row n from f32 bit patterns [K]. `columns` of them are no padding. */
  storeRow(buffers: readonly Buffer[], n: number, row: Uint32Array, columns?: number): void;
}

/** What the table of formats fixes. */
const sizesOf = (name: WeightFormatName): Pick<Layout, "name" | "words" | "scaleWords" | "bindings"> => ({
  name,
  words: (K) => weightWords(name, K),
  scaleWords: (K) => scaleWords(name, K),
  bindings(N, K) {
    const type = name === "f32" ? "f32" : "u32";
    const weight: Binding = { name: "weight", slot: 6, type, length: N * weightWords(name, K) };
    const scales = scaleWords(name, K);
    return scales === 0 ? [weight] : [weight, { name: "scale", slot: 7, type: "u32", length: N * scales }];
  },
});

const f32: Layout = {
  ...sizesOf("f32"),
  at: ([weight], i) => weight![i]!,
  storeRow([weight], n, row) {
    new Uint32Array(weight!.buffer, weight!.byteOffset).set(row, n * row.length);
  },
};

const f16: Layout = {
  ...sizesOf("f16"),
  at: ([weight], i) => f16ToNumber((weight![i >> 1]! >>> (16 * (i % 2))) & 0xffff),
  storeRow([weight], n, row) {
    for (let k = 0; k < row.length; k += 2) {
      weight![(n * row.length + k) / 2] = f32BitsToF16(row[k]!) | (f32BitsToF16(row[k + 1]!) << 16);
    }
  },
};

const bf16: Layout = {
  ...sizesOf("bf16"),
  at: ([weight], i) => bf16ToNumber((weight![i >> 1]! >>> (16 * (i % 2))) & 0xffff),
  storeRow([weight], n, row) {
    for (let k = 0; k < row.length; k += 2) {
      weight![(n * row.length + k) / 2] = f32BitsToBf16(row[k]!) | (f32BitsToBf16(row[k + 1]!) << 16);
    }
  },
};

/** Signed bytes, value = q * scale: 8.5 bits a weight. */
const q8: Layout = {
  ...sizesOf("q8"),
  at: ([weight, scale], i, K) => ((weight![i >> 2]! << (24 - 8 * (i % 4))) >> 24) * scaleAt(scale!, i, K),
  storeRow([weight, scale], n, row) {
    for (let k = 0; k < row.length; k += GROUP) {
      const group = quantise(row.subarray(k, k + GROUP), scaleSearches.q8);
      storeScale(scale!, n, k, row.length, group.scale);
      for (let i = 0; i < GROUP; i += 4) {
        let word = 0;
        for (let j = 0; j < 4; j++) word |= (group.q[i + j]! & 0xff) << (8 * j);
        weight![(n * row.length + k + i) / 4] = word;
      }
    }
  },
};

/** Nibbles, value = (q - 8) * scale: 4.5 bits a weight. */
const q4: Layout = {
  ...sizesOf("q4"),
  at: ([weight, scale], i, K) => (((weight![i >> 3]! >>> (4 * (i % 8))) & 15) - 8) * scaleAt(scale!, i, K),
  storeRow([weight, scale], n, row) {
    for (let k = 0; k < row.length; k += GROUP) {
      const group = quantise(row.subarray(k, k + GROUP), scaleSearches.q4);
      storeScale(scale!, n, k, row.length, group.scale);
      for (let i = 0; i < GROUP; i += 8) {
        let word = 0;
        for (let j = 0; j < 8; j++) word |= (group.q[i + j]! + 8) << (4 * j);
        weight![(n * row.length + k + i) / 8] = word;
      }
    }
  },
};

/**
 * Nibbles, value = a * q + b, with a pair (a, b) for each 32, 64 or 128 weights of a row: 5, 4.5 or 4.25 bits
 * a weight. The last group of a row may be shorter. Its padding has code 0, which stands for b: what reads a
 * row past its width multiplies with zeros or leaves the columns out.
 */
function paired(name: (typeof pairedFormats)[keyof typeof pairedFormats]): Layout {
  const { group } = formatTable[name];
  const pairs = (K: number) => Math.ceil(K / group);
  return {
    ...sizesOf(name),
    at([weight, scale], i, K) {
      const pair = scale![Math.floor(i / K) * pairs(K) + Math.floor((i % K) / group)]!;
      const code = (weight![i >> 3]! >>> (4 * (i % 8))) & 15;
      return f16ToNumber(pair & 0xffff) * code + f16ToNumber(pair >>> 16);
    },
    storeRow([weight, scale], n, row, columns = row.length) {
      for (let k = 0; k < row.length; k += group) {
        const { q, a, b } = quantisePair(row.subarray(k, Math.min(k + group, columns)));
        scale![n * pairs(row.length) + k / group] = a | (b << 16);
        for (let i = k; i < Math.min(k + group, row.length); i += 8) {
          let word = 0;
          for (let j = 0; j < 8; j++) word |= (q[i - k + j] ?? 0) << (4 * j);
          weight![(n * row.length + i) / 8] = word;
        }
      }
    },
  };
}

const { group: SUPER } = formatTable.q4k;
/** Words of `scale` for a super-group. */
const SUPER_WORDS = 4;

/**
 * Nibbles in the shape of llama.cpp's Q4_K, 4.5 bits a weight: value = d · scale · q - dmin · minimum, with
 * six bits of scale and minimum for each 32 weights of a row, and f16 d and dmin for each 256. The last
 * super-group of a row may be shorter. Padding has code 0, as in q4a.
 */
const q4k: Layout = {
  ...sizesOf("q4k"),
  at([weight, scale], i, K) {
    const k = i % K;
    const first = SUPER_WORDS * (Math.floor(i / K) * Math.ceil(K / SUPER) + Math.floor(k / SUPER));
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
      scale!.set(superWords(steps), SUPER_WORDS * (n * Math.ceil(K / SUPER) + k / SUPER));
      for (let i = k; i < Math.min(k + SUPER, K); i += 8) {
        let word = 0;
        for (let j = 0; j < 8; j++) word |= (codes[i - k + j] ?? 0) << (4 * j);
        weight![(n * K + i) / 8] = word;
      }
    }
  },
};

export const layouts: Readonly<Record<WeightFormatName, Layout>> = {
  ...{ f32, f16, bf16, q8, q4 },
  ...{ q4a: paired("q4a"), q4a64: paired("q4a64"), q4a128: paired("q4a128"), q4k },
};
