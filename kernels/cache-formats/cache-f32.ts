import source from "./cache-f32.wgsl?raw";
import { type CacheFormat, readOnly, vectors } from "./cache-format.ts";
import writer from "./store-f32.wgsl?raw";

/** f32, not rounded. */
export const f32: CacheFormat = {
  name: "f32",
  type: "f32",
  source,
  reader: readOnly(source),
  writer: [writer],
  words: (d) => 4 * vectors(d),
  units: vectors,
  at: (cache, row, i, d) => cache[row * 4 * vectors(d) + i]!,
  store(cache, row, entries) {
    const width = 4 * vectors(entries.length);
    for (let i = 0; i < width; i++) cache[row * width + i] = entries[i] ?? 0;
  },
};
