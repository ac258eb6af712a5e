// Decodes the blocks of GGUF's quantised types to floats. Every value is computed exactly and rounded once to
// f32, which is what ggml gives.
import { f16ToNumber } from "../../kernels/formats/half.ts";
import type { GgufType } from "./types.ts";

/** Decodes the block at byte `at` into the floats from `to` on. */
type DecodeBlock = (view: DataView, at: number, floats: Float32Array, to: number) => void;

const half = (view: DataView, at: number): number => f16ToNumber(view.getUint16(at, true));

/** Blocks of 32 whose low nibbles are the first half, and whose high nibbles are the second. */
const nibbles =
  (value: (d: number, m: number, q: number) => number, minimum: boolean, fifthBit: boolean): DecodeBlock =>
  (view, at, floats, to) => {
    const d = half(view, at);
    const m = minimum ? half(view, at + 2) : 0;
    const bits = at + (minimum ? 4 : 2);
    const codes = bits + (fifthBit ? 4 : 0);
    const fifths = view.getUint32(bits, true);
    for (let j = 0; j < 16; j++) {
      const byte = view.getUint8(codes + j);
      let low = byte & 15;
      let high = byte >> 4;
      if (fifthBit) {
        low |= ((fifths >> j) & 1) << 4;
        high |= ((fifths >> (j + 16)) & 1) << 4;
      }
      floats[to + j] = value(d, m, low);
      floats[to + 16 + j] = value(d, m, high);
    }
  };

/** The six-bit scale and minimum of sub-block j of Q4_K and Q5_K, whose twelve bytes begin at `at`. */
export function scaleAndMinimum(view: DataView, at: number, j: number): [scale: number, minimum: number] {
  const byte = (i: number): number => view.getUint8(at + i);
  if (j < 4) return [byte(j) & 63, byte(j + 4) & 63];
  const both = byte(j + 4);
  return [(both & 15) | ((byte(j - 4) >> 6) << 4), (both >> 4) | ((byte(j) >> 6) << 4)];
}

/** Q4_K and Q5_K: eight sub-blocks of 32. Two of them share 32 bytes of nibbles. */
const subBlocks =
  (fifthBit: boolean): DecodeBlock =>
  (view, at, floats, to) => {
    const d = half(view, at);
    const dmin = half(view, at + 2);
    const fifth = at + 16;
    const codes = fifth + (fifthBit ? 32 : 0);
    for (let j = 0; j < 8; j++) {
      const [scale, minimum] = scaleAndMinimum(view, at + 4, j);
      const [step, least] = [d * scale, dmin * minimum];
      const from = codes + 32 * (j >> 1);
      const shift = 4 * (j & 1);
      for (let i = 0; i < 32; i++) {
        const more = fifthBit ? ((view.getUint8(fifth + i) >> j) & 1) << 4 : 0;
        floats[to + 32 * j + i] = step * (((view.getUint8(from + i) >> shift) & 15) | more) - least;
      }
    }
  };

const decodeQ8: DecodeBlock = (view, at, floats, to) => {
  const d = half(view, at);
  for (let i = 0; i < 32; i++) floats[to + i] = d * view.getInt8(at + 2 + i);
};

/** Q6_K: two halves of 128, each of four quarters that share the bytes of low nibbles and of upper bits. */
const decodeQ6K: DecodeBlock = (view, at, floats, to) => {
  const d = half(view, at + 208);
  for (let quarter = 0; quarter < 8; quarter++) {
    const [side, q] = [quarter >> 2, quarter & 3];
    const low = at + 64 * side + 32 * (q & 1);
    const high = at + 128 + 32 * side;
    for (let i = 0; i < 32; i++) {
      const code =
        ((view.getUint8(low + i) >> (4 * (q >> 1))) & 15) | (((view.getUint8(high + i) >> (2 * q)) & 3) << 4);
      const scale = view.getInt8(at + 192 + 2 * quarter + (i >> 4));
      floats[to + 32 * quarter + i] = d * scale * (code - 32);
    }
  }
};

const linear = (d: number, m: number, q: number): number => d * q + m;

/** By type: those that are read. */
const decoders: ReadonlyMap<string, DecodeBlock> = new Map([
  ["Q4_0", nibbles((d, _, q) => d * (q - 8), false, false)],
  ["Q4_1", nibbles(linear, true, false)],
  ["Q5_0", nibbles((d, _, q) => d * (q - 16), false, true)],
  ["Q5_1", nibbles(linear, true, true)],
  ["Q8_0", decodeQ8],
  ["Q4_K", subBlocks(false)],
  ["Q5_K", subBlocks(true)],
  ["Q6_K", decodeQ6K],
]);

/** The names of the quantised types that are read. */
export const blockTypes: readonly string[] = [...decoders.keys()];

/** The weights of whole blocks of a type of `blockTypes`, in order. */
export function decodeBlocks(
  { name, block, bytes: size }: GgufType,
  bytes: Uint8Array,
): Float32Array<ArrayBuffer> {
  const decode = decoders.get(name);
  if (!decode) throw new RangeError(`${name}: a type without decoder`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const floats = new Float32Array((bytes.length / size) * block);
  for (let at = 0, to = 0; to < floats.length; at += size, to += block) decode(view, at, floats, to);
  return floats;
}

/** By type: offsets in a block of its f16 scales (and minima). */
const HALVES: Readonly<Record<string, readonly number[]>> = {
  ...{ Q4_0: [0], Q5_0: [0], Q8_0: [0], Q4_1: [0, 2], Q5_1: [0, 2] },
  ...{ Q4_K: [0, 2], Q5_K: [0, 2], Q6_K: [208] },
};

/**
 * The f16 bits from which a scale is refused: infinity and NaN, one of which would make all logits NaN. In
 * types of super-blocks 1040, whose products with six bits are above f16.
 */
const limitOf = (name: string): number => (name.endsWith("_K") ? 0x6410 : 0x7c00);

/** The first of whole blocks whose scale or minimum is not below the limit; undefined if there is none. */
export function scaleTooLarge({ name, bytes: size }: GgufType, bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const limit = limitOf(name);
  for (const offset of HALVES[name] ?? []) {
    for (let at = offset; at < bytes.length; at += size) {
      const bits = view.getUint16(at, true) & 0x7fff;
      if (bits >= limit) return { block: Math.floor(at / size), finite: bits < 0x7c00 };
    }
  }
  return undefined;
}
