// Fields that chat and text completions share.
import { z } from "zod";
import type { GenerateOptions } from "../engine/node.ts";
import { HttpError } from "./errors.ts";
import type { Service } from "./service.ts";

export const sampling = {
  model: z.string().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  n: z.int().min(1).max(128).nullish(),
  stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(16)]).nullish(),
  seed: z.int().min(0).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  logit_bias: z.record(z.string().regex(/^\d+$/), z.number().min(-100).max(100)).nullish(),
  user: z.string().nullish(),
  // Beyond OpenAI's, by the names that others have for them.
  top_k: z.int().min(0).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  repetition_penalty: z.number().min(0.001).max(1000).nullish(),
};

/** @throws HttpError 400 for ids that the model has not: in a stream it would come too late to tell */
export function checkBias({ model }: Service, { logitBias = {} }: GenerateOptions): void {
  const wrong = Object.keys(logitBias).find((id) => Number(id) >= model.config.V);
  if (wrong === undefined) return;
  throw new HttpError(400, `logit_bias: expected token ids from 0 to ${model.config.V - 1}, got ${wrong}.`, {
    param: "logit_bias",
  });
}
