import { f16 } from "./f16.ts";
import { f32 } from "./f32.ts";
import type { CacheFormat, CacheFormatName } from "./format.ts";
import { q8 } from "./q8.ts";

/** The most exact first. */
export const cacheFormats: Record<CacheFormatName, CacheFormat> = { f32, f16, q8 };
