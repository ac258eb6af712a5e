import { f16 } from "./cache-f16.ts";
import { f32 } from "./cache-f32.ts";
import type { CacheFormat, CacheFormatName } from "./cache-format.ts";
import { q8 } from "./cache-q8.ts";

/** The most exact first. */
export const cacheFormats: Record<CacheFormatName, CacheFormat> = { f32, f16, q8 };
