// Typed values out of a conversation: an answer that is JSON of a schema, parsed and checked by the schema.
import type { ChatOptions, Extraction, Message, Model } from "./api.ts";
import { ExtractionError } from "./errors.ts";
import { isStandardSchema, plainFormat } from "./plain-format.ts";
import type { JsonSchema, StandardSchema } from "./types/format.ts";
import { wholeAnswer } from "./whole-answer.ts";

/** @throws ExtractionError */
export async function extract<Output>(
  model: Pick<Model, "chat">,
  messages: readonly Message[],
  schema: StandardSchema<Output> | JsonSchema,
  options: Omit<ChatOptions, "format">,
): Promise<Extraction<Output>> {
  const standard = typeof schema === "object" && isStandardSchema(schema) ? schema : undefined;
  const format = standard
    ? plainFormat(standard)
    : ({ type: "json_schema", schema: schema as JsonSchema } as const);
  const { text, reason, usage, warnings } = await wholeAnswer(
    model.chat(messages, { ...options, format }),
    options.signal,
  );
  const finish = { reason, ...usage, ...(warnings && { warnings }) };
  if (reason !== "stop") {
    const message = `extract: expected a whole value, got the begin of one: ${usage.completionTokens} tokens were not enough. Raise maxTokens, or ask for less.`;
    throw new ExtractionError(message, { code: "cut-off", text });
  }
  const value: unknown = JSON.parse(text);
  const result = await standard?.["~standard"].validate(value);
  if (result?.issues) {
    const [issue] = result.issues;
    const message = `extract: expected a value that the schema accepts, got another: ${issue?.message ?? "no reason given"}. Ask again, or say the rule in the prompt.`;
    throw new ExtractionError(message, { code: "refused-value", text });
  }
  return { value: (result ? result.value : value) as Output, text, finish };
}
