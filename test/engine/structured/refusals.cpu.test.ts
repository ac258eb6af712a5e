// Formats that cannot be held to are refused before the first token, by keyword and path.
import { expect, test } from "vitest";
import type { AnswerFormat, JsonSchema } from "../../../engine/types/format.ts";
import { walk } from "./walk.ts";

const nested = (schema: JsonSchema): JsonSchema => ({
  type: "object",
  properties: { list: { type: "array", items: { anyOf: [{ type: "null" }, schema] } } },
  required: ["list"],
});
const AT = "$.properties.list.items.anyOf[1]";

test.each<[string, JsonSchema, string]>([
  ["not", { not: { type: "null" } }, `${AT}.not: expected a keyword that can be held to`],
  ["if", { if: true, else: false }, `${AT}.if: expected a keyword that can be held to`],
  ["contains", { contains: true }, `${AT}.contains: expected a keyword`],
  ["a misspelt keyword", { type: "string", maxlength: 3 }, `${AT}.maxlength: expected a keyword`],
  ["patternProperties", { patternProperties: {} }, `${AT}.patternProperties: expected a keyword`],
  ["uniqueItems", { type: "array", uniqueItems: true }, `${AT}.uniqueItems: expected a keyword`],
  [
    "a fraction as a divisor",
    { multipleOf: 0.1 },
    `${AT}.multipleOf: expected a whole number from 1 to 1000, got 0.1`,
  ],
  ["an unknown format", { format: "jwt" }, `${AT}.format: expected date, time, `],
  ["a pattern that looks ahead", { pattern: "^(?=a)" }, `${AT}.pattern: expected a group at character`],
  [
    "a reference to another file",
    { $ref: "other.json" },
    `${AT}.$ref: expected "#/…", a place in the same schema`,
  ],
  [
    "a reference to nothing",
    { $ref: "#/$defs/a" },
    `${AT}.$ref: expected "#/…", a place in the same schema, got "#/$defs/a", where there is none`,
  ],
  [
    "options that overlap",
    { oneOf: [{ type: "integer" }, { type: "number" }] },
    `${AT}.oneOf[1]: expected an option that excludes`,
  ],
  ["an unknown type", { type: "float" }, `${AT}.type: expected null, boolean, integer`],
  [
    "items as a list",
    { type: "array", items: [true] },
    `${AT}.items: expected one schema for all items, got a list`,
  ],
  ["a bound that is no number", { minimum: "1" }, `${AT}.minimum: expected a number, got "1"`],
  ["a negative length", { maxLength: -1 }, `${AT}.maxLength: expected a whole number from 0 on, got -1`],
  ["a schema that is none", { properties: { a: 1 } } as never, `${AT}.properties.a: expected a schema`],
  ["too many properties", { type: "object", minProperties: 3 }, `${AT}.minProperties: expected at most 1`],
])("JSON Schema: %s", (_, schema, message) => {
  const refused = () => walk({ type: "json_schema", schema: nested(schema) }, 1);
  expect(refused).toThrow(`format.schema: ${message}`);
  expect(refused).toThrow(expect.objectContaining({ parameter: "format.schema", name: "TypeError" }));
});

test.each<[string, JsonSchema]>([
  ["false", false],
  ["types that exclude each other", { allOf: [{ type: "string" }, { type: "null" }] }],
  ["a value that is too large", { type: "integer", minimum: 3, maximum: 2 }],
  ["a tree without leaves", { type: "object", properties: { kid: { $ref: "#" } }, required: ["kid"] }],
  ["a pattern that is too long", { type: "string", pattern: "^aaaa$", maxLength: 3 }],
  ["no whole number between", { type: "integer", exclusiveMinimum: 1, exclusiveMaximum: 2 }],
])("JSON Schema without a value: %s", (_, schema) => {
  expect(() => walk({ type: "json_schema", schema }, 1)).toThrow(
    "format.schema: expected at least one text that it allows, got none. Loosen it.",
  );
});

const cycle: Record<string, unknown> = {};
cycle["properties"] = { a: cycle };
let deep: JsonSchema = true;
for (let i = 0; i < 3000; i++) deep = { items: deep };

test.each<[string, unknown, string]>([
  ["no format", { type: "yaml" }, "format.type: expected text, json, json_schema, regex, choice, grammar"],
  ["a member of another", { type: "json", schema: {} }, "format.schema: expected type only"],
  ["a schema that is a text", { type: "json_schema", schema: "{}" }, "format.schema: expected a JSON Schema"],
  [
    "a cycle",
    { type: "json_schema", schema: cycle },
    "format.schema: expected a schema that can be written as JSON",
  ],
  ["nests too deep", { type: "json_schema", schema: deep }, "format.schema: expected "],
  ["no choices", { type: "choice", choices: [] }, "format.choices: expected at least one text"],
  ["an empty choice", { type: "choice", choices: ["a", ""] }, "format.choices: expected at least one text"],
  ["half a character", { type: "choice", choices: ["\ud800"] }, "format.choices: expected at least one text"],
  [
    "an open group",
    { type: "regex", pattern: "(a" },
    'format.pattern: expected ")" at character 3, got the end',
  ],
  [
    "a reference back",
    { type: "regex", pattern: "(a)\\1" },
    "format.pattern: expected no reference to a group",
  ],
  ["a word's border", { type: "regex", pattern: "a\\b" }, "format.pattern: expected no word boundary"],
  [
    "a property of Unicode",
    { type: "regex", pattern: "\\p{L}" },
    "format.pattern: expected no Unicode property",
  ],
  ["a lone bracket", { type: "regex", pattern: "a]" }, "format.pattern: expected a character at character 2"],
])("refused: %s", (_, format, message) => {
  expect(() => walk(format as AnswerFormat, 1)).toThrow(message);
});
