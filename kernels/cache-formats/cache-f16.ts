import { f16ToNumber, numberToF16 } from "../formats/half.ts";
import half from "../formats/half-f16.wgsl?raw";
import roundedShift from "../snippets/rounded-shift.wgsl?raw";
import source from "./cache-f16.wgsl?raw";
import { type CacheFormat, readOnly, vectors } from "./cache-format.ts";
import writer from "./store-f16.wgsl?raw";
import { tunedCache } from "./tuned-cache.ts";

const words = (d: number): number => 2 * vectors(d);

/** f16 in pairs, rounded to nearest. Saturates at ±65504. */
export const f16: CacheFormat = {
  name: "f16",
  type: "u32",
  source,
  reader: readOnly(source),
  writer: [writer, half, roundedShift],
  wide: {
    fits: (d) => vectors(d) % 2 === 0,
    vectors: 2,
    units: (d) => words(d) / 4,
    source: [tunedCache("f16Wide"), tunedCache("storeF16Wide"), half, roundedShift],
  },
  words,
  units: vectors,
  at: (cache, row, i, d) =>
    f16ToNumber((cache[row * 2 * vectors(d) + (i >> 1)]! >>> (16 * (i % 2))) & 0xffff),
  store(cache, row, entries) {
    const words = 2 * vectors(entries.length);
    const half = (i: number) => numberToF16(entries[i] ?? 0);
    for (let word = 0; word < words; word++)
      cache[row * words + word] = half(2 * word) | (half(2 * word + 1) << 16);
  },
};
