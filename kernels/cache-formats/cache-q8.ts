import { GROUP } from "../formats/format.ts";
import { type CacheFormat, readOnly, vectors } from "./cache-format.ts";
import source from "./cache-q8.wgsl?raw";
import { cacheLayouts } from "./layouts.ts";
import round from "./round-q8.wgsl?raw";
import writer from "./store-q8.wgsl?raw";
import { tunedCache } from "./tuned-cache.ts";

const groups = (d: number): number => Math.ceil(d / GROUP);

/** Signed bytes with an f32 scale for every 32 entries of a row: 9 bits an entry. */
export const q8: CacheFormat = {
  ...cacheLayouts.q8,
  type: "u32",
  source,
  reader: readOnly(source),
  writer: [writer, round],
  wide: {
    // Codes and scales are whole 16 bytes each.
    fits: (d) => groups(d) % 4 === 0 && vectors(d) % 8 === 0,
    vectors: 4,
    units: (d) => cacheLayouts.q8.words(d) / 4,
    source: [tunedCache("q8Wide"), tunedCache("storeQ8Wide"), round],
  },
  units: groups,
};
