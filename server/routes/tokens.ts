// POST /v1/tokenize and /v1/detokenize: text to token ids and back.
import { refuseOthers } from "../../engine/apis/quiet-fields.ts";
import { readText } from "../../engine/apis/request-options.ts";
import { checkKnown } from "../../engine/graph/prompt-ids.ts";
import { shown, wrongType } from "../../engine/options/parameter.ts";
import { readBody } from "../body.ts";
import { checkTokenizer, encodeText } from "../context-check.ts";
import type { Ctx } from "../request-lifecycle.ts";
import type { Service } from "../service.ts";
import { checkServed } from "./models.ts";

/** `{ input }` -> `{ tokens, count }`, with the beginning-of-sequence token first. */
export async function tokenize(c: Ctx, service: Service): Promise<Response> {
  const input = await read(c, service, "input");
  if (typeof input !== "string") throw wrongType("input", `expected a text, got ${shown(input)}.`);
  const tokens = await encodeText(service, input, "input", c.get("lifecycle").signal);
  return c.json({ tokens, count: tokens.length });
}

/** `{ tokens }` -> `{ text }` */
export const detokenize = async (c: Ctx, service: Service): Promise<Response> =>
  c.json({ text: await textOfTokens(c, service) });

/** The text of the body's `tokens`. */
export async function textOfTokens(c: Ctx, service: Service): Promise<string> {
  const tokens = await read(c, service, "tokens");
  if (!Array.isArray(tokens))
    throw wrongType("tokens", `expected a list of token ids, got ${shown(tokens)}.`);
  checkKnown(tokens, service.model.config.V, "tokens");
  await checkTokenizer(service.model);
  return service.model.decode(tokens, { signal: c.get("lifecycle").signal });
}

/** The value of `field`, the only one besides `model`. */
async function read(c: Ctx, service: Service, field: string): Promise<unknown> {
  const given = await readBody(c, service.limits);
  if (given[field] === undefined) throw wrongType(field, "expected one, got nothing.");
  refuseOthers(given, new Set(["model", field]));
  checkServed(service, readText(given, "model"));
  return given[field];
}
