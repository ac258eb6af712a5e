import { bf16 } from "./bf16.ts";
import { f16 } from "./f16.ts";
import { f32 } from "./f32.ts";
import type { WeightFormat, WeightFormatName } from "./format.ts";
import { q4 } from "./q4.ts";
import { q4a } from "./q4a.ts";
import { q4k } from "./q4k.ts";
import { q8 } from "./q8.ts";

export const weightFormats: Record<WeightFormatName, WeightFormat> = {
  ...{ f32, f16, bf16, q8, q4 },
  ...{ q4a: q4a("q4a"), q4a64: q4a("q4a64"), q4a128: q4a("q4a128"), q4k },
};
