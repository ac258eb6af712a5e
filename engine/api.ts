// The types of the public interface. No code.
export type {
  AttentionVariant,
  CacheFormatName,
  MatmulVariant,
  MatvecVariant,
  WeightFormatName,
} from "../kernels/index.ts";
export type * from "./types/answer.ts";
export type * from "./types/format.ts";
export type * from "./types/guard.ts";
export type * from "./types/kernels.ts";
export type * from "./types/load.ts";
export type * from "./types/model.ts";
export type * from "./types/openai.ts";
export type * from "./types/openai-tools.ts";
export type * from "./types/reports.ts";
export type * from "./types/tools.ts";
