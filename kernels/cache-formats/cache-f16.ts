import half from "../formats/half-f16.wgsl?raw";
import roundedShift from "../snippets/rounded-shift.wgsl?raw";
import source from "./cache-f16.wgsl?raw";
import { type CacheFormat, readOnly, vectors } from "./cache-format.ts";
import { cacheLayouts } from "./layouts.ts";
import writer from "./store-f16.wgsl?raw";
import { tunedCache } from "./tuned-cache.ts";

/** f16 in pairs, rounded to nearest. Saturates at ±65504. */
export const f16: CacheFormat = {
  ...cacheLayouts.f16,
  type: "u32",
  source,
  reader: readOnly(source),
  writer: [writer, half, roundedShift],
  wide: {
    fits: (d) => vectors(d) % 2 === 0,
    vectors: 2,
    units: (d) => cacheLayouts.f16.words(d) / 4,
    source: [tunedCache("f16Wide"), tunedCache("storeF16Wide"), half, roundedShift],
  },
  units: vectors,
};
