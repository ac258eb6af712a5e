// The keywords of JSON Schema (2020-12): which say something about a value, and of which type. Whatever is
// not in these tables is refused by name.
import type { JsonSchema } from "../../types/format.ts";

export const TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"] as const;
export type TypeName = (typeof TYPES)[number];

/** Keywords that tell the type if `type` does not. */
export const KEYWORDS_OF: Readonly<Partial<Record<TypeName, readonly string[]>>> = {
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  string: ["minLength", "maxLength", "pattern", "format"],
  array: ["items", "prefixItems", "minItems", "maxItems", "uniqueItems"],
  object: [
    ...["properties", "required", "additionalProperties", "propertyNames"],
    ...["minProperties", "maxProperties"],
  ],
};

const COMBINING = ["type", "enum", "const", "allOf", "anyOf", "oneOf", "$ref"];
/** They say nothing about which values are valid. */
const ANNOTATIONS = [
  ...["title", "description", "default", "examples", "example", "$comment", "deprecated", "readOnly"],
  ...["writeOnly", "$schema", "$id", "$defs", "definitions", "contentEncoding", "contentMediaType"],
  ...["contentSchema", "$anchor", "$vocabulary"],
];

const KNOWN = new Set([...Object.values(KEYWORDS_OF).flat(), ...COMBINING, ...ANNOTATIONS]);

/** A part of a schema that cannot be held to. */
export class SchemaError extends Error {
  /** Of the part, from the root: "$.properties.name". */
  readonly path: string;

  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

export type SchemaObject = Exclude<JsonSchema, boolean>;

/** `.name` or `["other name"]`. */
export const step = (name: string | number): string =>
  typeof name === "number" || !/^[A-Za-z_$][\w$]*$/.test(name) ? `[${JSON.stringify(name)}]` : `.${name}`;

/** @throws SchemaError for a keyword that is not known */
export function checkKeywords(schema: SchemaObject, path: string): void {
  for (const name of Object.keys(schema)) {
    if (KNOWN.has(name) || name.startsWith("x-")) continue;
    throw new SchemaError(
      path + step(name.slice(0, 60)),
      "expected a keyword that can be held to token by token, got this one. Leave it out, or say it in the prompt.",
    );
  }
}

/** @throws SchemaError */
export function readCount(schema: SchemaObject, name: string, path: string): number | undefined {
  const value = schema[name];
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0)) return value as number;
  throw wrong(path, name, "a whole number from 0 on", value);
}

/** @throws SchemaError */
export function readNumber(schema: SchemaObject, name: string, path: string): number | undefined {
  const value = schema[name];
  if (value === undefined || Number.isFinite(value)) return value as number;
  throw wrong(path, name, "a number", value);
}

/** @throws SchemaError */
export function readList(schema: SchemaObject, name: string, path: string): readonly unknown[] | undefined {
  const value = schema[name];
  if (value === undefined || Array.isArray(value)) return value as readonly unknown[];
  throw wrong(path, name, "a list", value);
}

/** @throws SchemaError */
export function readMap(schema: SchemaObject, name: string, path: string): Readonly<Record<string, unknown>> {
  const value = schema[name];
  if (value === undefined) return {};
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  throw wrong(path, name, "an object", value);
}

export function wrong(path: string, name: string, expected: string, value: unknown): SchemaError {
  const got = JSON.stringify(value)?.slice(0, 60) ?? typeof value;
  return new SchemaError(path + step(name), `expected ${expected}, got ${got}. Correct it.`);
}
