// POST /v1/moderations: OpenAI's call, answered by the model's own judgement.
// https://platform.openai.com/docs/api-reference/moderations

import { refuseOthers } from "../../engine/apis/quiet-fields.ts";
import { readText } from "../../engine/apis/request-options.ts";
import type { Moderation } from "../../engine/node.ts";
import { outOfRange, shown, wrongType } from "../../engine/options/parameter.ts";
import { isObject } from "../../weights/json.ts";
import { AdmittedModel } from "../admitted-model.ts";
import { readBody } from "../body.ts";
import { checkLength } from "../context-check.ts";
import type { Ctx } from "../request-lifecycle.ts";
import type { Service } from "../service.ts";
import { checkName } from "./models.ts";

const MAX_INPUTS = 64;
const KNOWN = new Set(["model", "input", "role"]);
/** Who said the text: an extension. */
const KINDS = { user: "prompt", assistant: "answer" } as const;

/** `{ input, model?, role? }` -> `{ id, model, results }`, a result for each text */
export async function moderations(c: Ctx, service: Service): Promise<Response> {
  const lifecycle = c.get("lifecycle");
  const given = await readBody(c, service.limits);
  refuseOthers(given, KNOWN);
  const texts = readInput(given["input"]);
  const role = readText(given, "role") ?? "user";
  if (role !== "user" && role !== "assistant")
    throw outOfRange("role", `expected user or assistant, got ${shown(role)}.`);
  const model = checkName(service, readText(given, "model"));
  if (service.logPrompts) lifecycle.prompt = texts;
  for (const text of texts) await checkLength(service, text.length, "input");
  const judges = new AdmittedModel(service, lifecycle, texts.length);
  const verdicts = await Promise.all(texts.map((text) => judges.moderate(text, KINDS[role])));
  return c.json({
    id: `modr-${crypto.randomUUID().replaceAll("-", "")}`,
    model,
    results: verdicts.map(resultOf),
  });
}

/** A text, a list of texts, or the parts of one text. */
function readInput(input: unknown): readonly string[] {
  if (typeof input === "string") return [input];
  const expected = `expected a text or a list of 1 to ${MAX_INPUTS} texts, got ${shown(input)}.`;
  if (!Array.isArray(input)) throw wrongType("input", expected);
  if (input.length === 0 || input.length > MAX_INPUTS) throw outOfRange("input", expected);
  const isParts = input.every(isObject);
  const texts = input.map((each: unknown, i) => {
    if (typeof each === "string") return each;
    if (isParts && isObject(each) && each["type"] === "text" && typeof each["text"] === "string")
      return each["text"];
    throw wrongType(`input[${i}]`, `expected a text, got ${shown(each)}. This model reads text.`);
  });
  return isParts ? [texts.join("\n")] : texts;
}

const resultOf = ({ flagged, categories, scores }: Moderation) => ({
  flagged,
  categories,
  category_scores: scores,
  category_applied_input_types: Object.fromEntries(Object.keys(categories).map((name) => [name, ["text"]])),
});
