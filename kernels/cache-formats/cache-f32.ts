import source from "./cache-f32.wgsl?raw";
import { type CacheFormat, readOnly, vectors } from "./cache-format.ts";
import { cacheLayouts } from "./layouts.ts";
import writer from "./store-f32.wgsl?raw";

/** f32, not rounded. */
export const f32: CacheFormat = {
  ...cacheLayouts.f32,
  type: "f32",
  source,
  reader: readOnly(source),
  writer: [writer],
  units: vectors,
};
