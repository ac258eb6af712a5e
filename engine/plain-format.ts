// A format as data, which a worker can be sent: a schema of zod becomes the JSON Schema of what it reads.
import { unsupported } from "./options/parameter.ts";
import type { AnswerFormat, JsonSchema, StandardSchema } from "./types/format.ts";

export const isStandardSchema = (format: object): format is StandardSchema => "~standard" in format;

/** @throws TypeError with `parameter` if a schema cannot be written as JSON Schema */
export function plainFormat(format: AnswerFormat | StandardSchema): AnswerFormat {
  if (!isStandardSchema(format)) return format;
  let schema: JsonSchema & object;
  try {
    schema = format["~standard"].jsonSchema.input({ target: "draft-2020-12" }) as JsonSchema & object;
  } catch (cause) {
    const got = cause instanceof Error ? cause.message : String(cause);
    const wrong = `format: expected a schema that gives its JSON Schema (zod 4.2 or later), got: ${got}. Give a JSON Schema.`;
    throw Object.assign(unsupported("format", wrong), { cause });
  }
  return { type: "json_schema", schema };
}
