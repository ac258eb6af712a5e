// Checks of options that depend on the loaded model.
import type { GenerateOptions } from "../engine/node.ts";
import { HttpError } from "./errors.ts";
import type { Service } from "./service.ts";

/**
 * @throws HttpError 400 for ids that the model does not have. The engine checks them too, but a stream has
 * begun by then.
 */
export function checkBias({ model }: Service, { logitBias = {} }: GenerateOptions): void {
  const wrong = Object.keys(logitBias).find((id) => Number(id) >= model.config.V);
  if (wrong === undefined) return;
  throw new HttpError(400, `logit_bias: expected token ids from 0 to ${model.config.V - 1}, got ${wrong}.`, {
    param: "logit_bias",
  });
}
