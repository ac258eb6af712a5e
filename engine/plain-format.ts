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
  return {
    type: "json_schema",
    schema: JSON.stringify(schema).includes('"allOf"') ? { ...schema } : closed(schema),
  };
}

/** Forbids the properties that are not named: zod would drop them. Not with allOf, whose parts add up. */
function closed<T>(schema: T): T {
  if (typeof schema !== "object" || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(closed) as T;
  const parts = Object.fromEntries(Object.entries(schema).map(([name, part]) => [name, closed(part)]));
  const isOpen = parts["type"] === "object" && parts["properties"] && !("additionalProperties" in parts);
  return (isOpen ? { ...parts, additionalProperties: false } : parts) as T;
}
