// Text to token ids and back, as the model would be given them.
import { z } from "zod";
import { readBody } from "./body.ts";
import { HttpError } from "./errors.ts";
import type { Ctx } from "./exchange.ts";
import { encodeText } from "./fit.ts";
import { checkName } from "./models.ts";
import type { Service } from "./service.ts";

const toTokenize = z.strictObject({ model: z.string().nullish(), input: z.string() });
const toDetokenize = z.strictObject({
  model: z.string().nullish(),
  // Each is looked at by `checkIds`.
  tokens: z.custom<number[]>(Array.isArray, "expected a list of token ids"),
});

/** `{ input }` -> `{ tokens, count }`, with the beginning-of-sequence token first. */
export async function tokenize(c: Ctx, service: Service): Promise<Response> {
  const { model, input } = await readBody(c, service.limits, toTokenize);
  checkName(service, model);
  const tokens = await encodeText(service, input, "input");
  return c.json({ tokens, count: tokens.length });
}

/** `{ tokens }` -> `{ text }` */
export async function detokenize(c: Ctx, service: Service): Promise<Response> {
  const { model, tokens } = await readBody(c, service.limits, toDetokenize);
  checkName(service, model);
  return c.json({ text: await service.model.decode(checkIds(tokens, service.model.config.V, "tokens")) });
}

/** @throws HttpError 400 */
export function checkIds(ids: readonly number[], V: number, param: string): readonly number[] {
  const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= V);
  if (wrong === undefined) return ids;
  throw new HttpError(400, `${param}: expected token ids from 0 to ${V - 1}, got ${wrong}.`, { param });
}
