// What of a request's options only the loaded model can tell.
import type { GenerateOptions } from "../engine/node.ts";
import { HttpError } from "./errors.ts";
import type { Service } from "./service.ts";

/** @throws HttpError 400 for ids that the model has not: in a stream it would come too late to tell */
export function checkBias({ model }: Service, { logitBias = {} }: GenerateOptions): void {
  const wrong = Object.keys(logitBias).find((id) => Number(id) >= model.config.V);
  if (wrong === undefined) return;
  throw new HttpError(400, `logit_bias: expected token ids from 0 to ${model.config.V - 1}, got ${wrong}.`, {
    param: "logit_bias",
  });
}
