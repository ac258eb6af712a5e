// How each type of GGUF is loaded: floats as they are, blocks decoded, or re-ordered into a format that has
// the same values.
import { superWords } from "../../kernels/formats/super-words.ts";
import type { WeightFormatName } from "../../kernels/formats/table.ts";
import type { OwnEncoding, Repack } from "../tensor-info.ts";
import { blockTypes, decodeBlocks, scaleAndMinimum } from "./blocks.ts";
import type { GgufType } from "./types.ts";

/** The format that keeps each type's values, or comes nearest to them. */
const FORMATS: Readonly<Record<string, WeightFormatName>> = {
  ...{ F32: "f32", F16: "f16", BF16: "bf16" },
  ...{ Q4_0: "q4", Q8_0: "q8", Q4_1: "q4a", Q4_K: "q4k" },
  ...{ Q5_0: "q8", Q5_1: "q8", Q5_K: "q8", Q6_K: "q8" },
};

/** The types that are read. */
export const readTypes: readonly string[] = Object.keys(FORMATS);

/** @returns undefined for types that are not read */
export const formatOfType = (type: string): WeightFormatName | undefined => FORMATS[type];

export const isQuantised = (type: string): boolean => blockTypes.includes(type);

/** undefined for floats, which the engine knows. */
export function encodingOf(type: GgufType): OwnEncoding | undefined {
  if (!isQuantised(type.name)) return undefined;
  return {
    decode: (bytes) => new Uint8Array(decodeBlocks(type, bytes).buffer),
    repack: REPACKS[type.name] ?? {},
  };
}

/** Weights of a block, and of a group of q4 and q8. */
const GROUP = 32;

/** Splits blocks, an f16 scale and then codes, into rows of codes and rows of scales. */
const splitBlocks =
  (codeBytes: number, order: (from: DataView, at: number, to: DataView, word: number) => void): Repack =>
  (bytes, R, K) => {
    const groups = K / GROUP;
    const scaleBytes = 4 * Math.ceil(groups / 2);
    const codes = new Uint8Array(R * groups * codeBytes);
    const scales = new Uint8Array(R * scaleBytes);
    const from = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const [toCodes, toScales] = [new DataView(codes.buffer), new DataView(scales.buffer)];
    let at = 0;
    for (let row = 0; row < R; row++) {
      for (let group = 0; group < groups; group++, at += 2 + codeBytes) {
        toScales.setUint16(row * scaleBytes + 2 * group, from.getUint16(at, true), true);
        order(from, at + 2, toCodes, (row * groups + group) * codeBytes);
      }
    }
    return [codes, scales];
  };

/** Eight nibbles, of the low halves of two words of four bytes, as one word. */
function gather(low: number, high: number): number {
  const four = (word: number): number => {
    const pairs = (word | (word >>> 4)) & 0x00ff00ff;
    return (pairs | (pairs >>> 8)) & 0xffff;
  };
  return four(low & 0x0f0f0f0f) | (four(high & 0x0f0f0f0f) << 16);
}

/** 16 bytes have the first half of a block in their low nibbles, the second in their high ones. */
function gatherHalves(from: DataView, at: number, to: DataView, word: number): void {
  for (let half = 0; half < 16; half += 8) {
    const [a, b] = [from.getUint32(at + half, true), from.getUint32(at + half + 4, true)];
    to.setUint32(word + half / 2, gather(a, b), true);
    to.setUint32(word + 8 + half / 2, gather(a >>> 4, b >>> 4), true);
  }
}

const nibbles = splitBlocks(16, gatherHalves);

/** Q4_1: as Q4_0, but with a pair of f16, which q4a has as one word for each group. */
const nibblesWithPairs: Repack = (bytes, R, K) => {
  const groups = (R * K) / GROUP;
  const [codes, pairs] = [new Uint8Array(groups * 16), new Uint8Array(groups * 4)];
  const from = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [toCodes, toPairs] = [new DataView(codes.buffer), new DataView(pairs.buffer)];
  for (let group = 0, at = 0; group < groups; group++, at += 20) {
    toPairs.setUint32(4 * group, from.getUint32(at, true), true);
    gatherHalves(from, at + 4, toCodes, 16 * group);
  }
  return [codes, pairs];
};

/** Q4_K: two sub-blocks share 32 bytes of nibbles, and the six bits of scales and minima are elsewhere. */
const superBlocks: Repack = (bytes, R, K) => {
  const blocks = (R * K) / 256;
  const [codes, steps] = [new Uint8Array(blocks * 128), new Uint32Array(blocks * 4)];
  const from = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const toCodes = new DataView(codes.buffer);
  for (let block = 0, at = 0; block < blocks; block++, at += 144) {
    const [d, dmin] = [from.getUint16(at, true), from.getUint16(at + 2, true)];
    const pairs = Array.from({ length: 8 }, (_, j) => scaleAndMinimum(from, at + 4, j));
    const [scales, minima] = [pairs.map(([scale]) => scale), pairs.map(([, minimum]) => minimum)];
    steps.set(superWords({ d, dmin, scales, minima }), 4 * block);
    for (let word = 0; word < 32; word++) {
      const [j, first] = [word >> 2, at + 16 + 32 * (word >> 3) + 8 * (word & 3)];
      const [a, b] = [from.getUint32(first, true), from.getUint32(first + 4, true)];
      const shift = 4 * (j & 1);
      toCodes.setUint32(128 * block + 4 * word, gather(a >>> shift, b >>> shift), true);
    }
  }
  return [codes, new Uint8Array(steps.buffer)];
};

const signedBytes = splitBlocks(32, (from, at, to, word) => {
  for (let i = 0; i < 32; i += 4) to.setUint32(word + i, from.getUint32(at + i, true), true);
});

const REPACKS: Readonly<Record<string, Partial<Record<WeightFormatName, Repack>>>> = {
  Q4_0: { q4: nibbles },
  Q8_0: { q8: signedBytes },
  Q4_1: { q4a: nibblesWithPairs },
  Q4_K: { q4k: superBlocks },
};
