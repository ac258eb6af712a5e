// How the rows of the ring cache are stored and read back: the part of a cache format that needs no shader.
import { GROUP } from "../formats/format.ts";
import { bitsToF32, f16ToNumber, f32ToBits, numberToF16 } from "../formats/half.ts";
import { type CacheFormatName, type CacheLayout, vectors } from "./cache-format.ts";

/** f32, not rounded. */
const f32: CacheLayout = {
  name: "f32",
  words: (d) => 4 * vectors(d),
  at: (cache, row, i, d) => cache[row * 4 * vectors(d) + i]!,
  store(cache, row, entries) {
    const width = 4 * vectors(entries.length);
    for (let i = 0; i < width; i++) cache[row * width + i] = entries[i] ?? 0;
  },
};

/** f16 in pairs, rounded to nearest. Saturates at ±65504. */
const f16: CacheLayout = {
  name: "f16",
  words: (d) => 2 * vectors(d),
  at: (cache, row, i, d) =>
    f16ToNumber((cache[row * 2 * vectors(d) + (i >> 1)]! >>> (16 * (i % 2))) & 0xffff),
  store(cache, row, entries) {
    const words = 2 * vectors(entries.length);
    const half = (i: number) => numberToF16(entries[i] ?? 0);
    for (let word = 0; word < words; word++)
      cache[row * words + word] = half(2 * word) | (half(2 * word + 1) << 16);
  },
};

const groups = (d: number): number => Math.ceil(d / GROUP);
const q8Words = (d: number): number => vectors(d) + groups(d);

const INVERSE_CODES = Math.fround(1 / 127);
/** The smallest scale: never 0, because values are divided by it. */
const MIN_SCALE = Math.fround(1e-30);

/**
 * largest / 127 in 16 significant bits: a scale times (code + 1/2) is exact in f32, and so is every rounding.
 */
const scaleOf = (largest: number): number =>
  bitsToF32((f32ToBits(Math.max(Math.fround(largest * INVERSE_CODES), MIN_SCALE)) + 0x80) & 0xffffff00);

/**
 * Signed bytes with a scale max |x| / 127 for every 32 entries of a row, value = code · scale. Scales are
 * f32: one thread writes the whole word, and any magnitude is kept. f16 scales would save 1/18 of the cache.
 */
const q8: CacheLayout = {
  name: "q8",
  words: q8Words,
  at(cache, row, i, d) {
    const code = (cache[row * q8Words(d) + (i >> 2)]! << (24 - 8 * (i % 4))) >> 24;
    return code * bitsToF32(cache[row * q8Words(d) + vectors(d) + Math.floor(i / GROUP)]!);
  },
  store(cache, row, entries) {
    const d = entries.length;
    const start = row * q8Words(d);
    for (let word = 0; word < vectors(d); word++) cache[start + word] = 0;
    for (let group = 0; group < groups(d); group++) {
      const end = Math.min(d, GROUP * (group + 1));
      let largest = 0;
      for (let i = GROUP * group; i < end; i++) largest = Math.max(largest, Math.abs(entries[i]!));
      const scale = scaleOf(largest);
      cache[start + vectors(d) + group] = f32ToBits(scale);
      for (let i = GROUP * group; i < end; i++) {
        const magnitude = Math.min(Math.floor(Math.abs(entries[i]!) / scale + 0.5), 127);
        const code = entries[i]! < 0 ? -magnitude : magnitude;
        cache[start + (i >> 2)]! |= (code & 0xff) << (8 * (i % 4));
      }
    }
  },
};

export const cacheLayouts: Readonly<Record<CacheFormatName, CacheLayout>> = { f32, f16, q8 };
