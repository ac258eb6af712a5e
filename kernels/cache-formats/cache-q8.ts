import { GROUP } from "../formats/format.ts";
import { bitsToF32, f32ToBits } from "../formats/half.ts";
import { type CacheFormat, readOnly, vectors } from "./cache-format.ts";
import source from "./cache-q8.wgsl?raw";
import round from "./round-q8.wgsl?raw";
import writer from "./store-q8.wgsl?raw";
import { tunedCache } from "./tuned-cache.ts";

const INVERSE_CODES = Math.fround(1 / 127);
/** The smallest scale: never 0, because values are divided by it. */
const MIN_SCALE = Math.fround(1e-30);

const groups = (d: number): number => Math.ceil(d / GROUP);
const words = (d: number): number => vectors(d) + groups(d);

/**
 * Signed bytes with a scale max |x| / 127 for every 32 entries of a row, value = code · scale. Scales are
 * f32: one thread writes the whole word, and any magnitude is kept. f16 scales would save 1/18 of the cache.
 */
export const q8: CacheFormat = {
  name: "q8",
  type: "u32",
  source,
  reader: readOnly(source),
  writer: [writer, round],
  wide: {
    // Codes and scales are whole 16 bytes each.
    fits: (d) => groups(d) % 4 === 0 && vectors(d) % 8 === 0,
    vectors: 4,
    units: (d) => words(d) / 4,
    source: [tunedCache("q8Wide"), tunedCache("storeQ8Wide"), round],
  },
  words,
  units: groups,
  at(cache, row, i, d) {
    const code = (cache[row * words(d) + (i >> 2)]! << (24 - 8 * (i % 4))) >> 24;
    return code * bitsToF32(cache[row * words(d) + vectors(d) + Math.floor(i / GROUP)]!);
  },
  store(cache, row, entries) {
    const d = entries.length;
    const start = row * words(d);
    cache.fill(0, start, start + words(d));
    for (let first = 0; first < d; first += GROUP) {
      const group = Array.from(entries).slice(first, first + GROUP);
      const scale = scaleOf(Math.max(...group.map(Math.abs)));
      cache[start + vectors(d) + first / GROUP] = f32ToBits(scale);
      group.forEach((value, i) => {
        const magnitude = Math.min(Math.floor(Math.abs(value) / scale + 0.5), 127);
        const code = value < 0 ? -magnitude : magnitude;
        cache[start + ((first + i) >> 2)]! |= (code & 0xff) << (8 * (i % 4));
      });
    }
  },
};

/**
 * largest / 127 in 16 significant bits: a scale times (code + 1/2) is exact in f32, and so is every rounding.
 */
const scaleOf = (largest: number): number =>
  bitsToF32((f32ToBits(Math.max(Math.fround(largest * INVERSE_CODES), MIN_SCALE)) + 0x80) & 0xffffff00);
