// Every answer that is held to a format and ends is of the format, whichever tokens are picked.
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { JsonSchema } from "../../../engine/types/format.ts";
import { walk } from "./walk.ts";

const ajv = new Ajv2020({ strict: false, allErrors: false, logger: false });
const RUNS = 4;

function expectValid(schema: JsonSchema, seeds = RUNS): number {
  const validate = ajv.compile(schema as object | boolean);
  let ended = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const { text, ended: isWhole } = walk({ type: "json_schema", schema }, seed);
    if (!isWhole) continue;
    ended++;
    const value = JSON.parse(text);
    expect(validate(value), `${JSON.stringify(schema)}: ${text}: ${JSON.stringify(validate.errors)}`).toBe(
      true,
    );
  }
  return ended;
}

/** A schema for each keyword that is held to, at values where it decides. */
const KEYWORDS: readonly (readonly [string, JsonSchema])[] = [
  ["true", true],
  ["type, one", { type: "boolean" }],
  ["type, several", { type: ["integer", "null"] }],
  ["type number", { type: "number" }],
  ["enum", { enum: ["red", 1, 2.5, null, true, [1, "a"], { a: { b: [] } }] }],
  ["enum of texts with escapes", { enum: ['"', "\\", "\n", "é", "😀", "\u2028", ""] }],
  ["const", { const: { a: [1, { b: "ü" }] } }],
  ["properties, required", { type: "object", properties: { a: { type: "integer" } }, required: ["a", "b"] }],
  [
    "additionalProperties false",
    { type: "object", properties: { "a b": true }, additionalProperties: false },
  ],
  [
    "additionalProperties a schema",
    { type: "object", additionalProperties: { type: "boolean" }, maxProperties: 2 },
  ],
  ["minProperties", { type: "object", minProperties: 2, maxProperties: 3 }],
  ["items", { type: "array", items: { enum: [1, 2] }, maxItems: 4 }],
  [
    "prefixItems",
    { type: "array", prefixItems: [{ const: 1 }, { type: "string", maxLength: 2 }], items: false },
  ],
  ["minItems", { type: "array", items: { type: "boolean" }, minItems: 2, maxItems: 3 }],
  [
    "uniqueItems",
    { type: "array", items: { enum: [1, 1.0, 2, 3] }, uniqueItems: true, minItems: 2, maxItems: 3 },
  ],
  ["minLength, maxLength", { type: "string", minLength: 3, maxLength: 4 }],
  ["minimum, maximum", { type: "integer", minimum: -3, maximum: 12 }],
  ["exclusive bounds", { type: "integer", exclusiveMinimum: -3, exclusiveMaximum: -1 }],
  ["multipleOf", { type: "integer", multipleOf: 7, minimum: 0, maximum: 100 }],
  ["bounds of fractions", { type: "number", minimum: 0.25, maximum: 0.75 }],
  ["anyOf", { anyOf: [{ type: "integer" }, { type: "array", items: { type: "null" }, maxItems: 2 }] }],
  [
    "oneOf",
    {
      oneOf: [
        { type: "integer", maximum: 5 },
        { type: "integer", minimum: 3, maximum: 9 },
      ],
    },
  ],
  ["allOf", { allOf: [{ type: "integer", minimum: 3 }, { maximum: 6 }] }],
  ["not", { type: "integer", minimum: 0, maximum: 9, not: { enum: [4, 5] } }],
  ["$ref, $defs", { $ref: "#/$defs/a", $defs: { a: { enum: ["x", "y"] } } }],
  [
    "a tree",
    {
      $ref: "#/$defs/node",
      $defs: {
        node: {
          type: "object",
          properties: {
            name: { enum: ["n"] },
            kids: { type: "array", items: { $ref: "#/$defs/node" }, maxItems: 2 },
          },
          required: ["name"],
          additionalProperties: false,
        },
      },
    },
  ],
];

test.each(KEYWORDS)("JSON Schema, %s: random answers are valid", (_, schema) => {
  expect(expectValid(schema, 12)).toBeGreaterThan(0);
});

/** Schemas of every kind in each other. */
const schemas = fc.letrec<{ any: JsonSchema }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small", maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<JsonSchema>(
      { type: "boolean" },
      { type: "null" },
      { type: "integer", minimum: 0, maximum: 99 },
    ),
    fc.record({ type: fc.constant("string"), maxLength: fc.nat(5) }),
    fc
      .tuple(fc.integer({ min: -50, max: 50 }), fc.nat(30))
      .map(([minimum, more]) => ({ type: "integer", minimum, maximum: minimum + more })),
    fc
      .uniqueArray(fc.oneof(fc.string({ unit: "grapheme", maxLength: 6 }), fc.integer(), fc.boolean()), {
        minLength: 1,
        maxLength: 4,
      })
      .map((values) => ({ enum: values })),
    fc.record({ type: fc.constant("array"), items: tie("any"), maxItems: fc.nat(2) }),
    fc
      .tuple(
        fc.uniqueArray(fc.string({ unit: "grapheme", minLength: 1, maxLength: 5 }), { maxLength: 3 }),
        fc.array(tie("any"), { minLength: 3, maxLength: 3 }),
        fc.nat(3),
      )
      .map(([names, parts, required]) => ({
        type: "object",
        properties: Object.fromEntries(names.map((name, i) => [name, parts[i]!])),
        required: names.slice(0, required),
        additionalProperties: false,
      })),
    fc.array(tie("any"), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
    tie("any").map((part) => ({ $ref: "#/$defs/part", $defs: { part } })),
  ),
}));

test("200 random schemas: random answers are valid, and none comes to a dead end", () => {
  let ended = 0;
  // A reference is resolved from the root.
  const alone = schemas.any.filter((schema) => !/\$ref/.test(JSON.stringify(schema).slice(2)));
  fc.assert(
    fc.property(alone, (schema) => {
      ended += expectValid(schema);
    }),
    { numRuns: 200, seed: 15 },
  );
  console.log(`JSON Schema: ${ended} of ${200 * RUNS} answers ended, all valid`);
  expect(ended).toBeGreaterThan(190 * RUNS);
});

/** Regular expressions of what is supported, in JavaScript's syntax. */
const regexes = fc.letrec<{ choice: string; sequence: string; atom: string }>((tie) => ({
  choice: fc.array(tie("sequence"), { minLength: 1, maxLength: 3 }).map((options) => options.join("|")),
  sequence: fc
    .array(fc.tuple(tie("atom"), fc.constantFrom("", "", "", "?", "{2}", "{0,2}", "{1,3}?", "+", "*")), {
      minLength: 1,
      maxLength: 4,
    })
    .map((parts) => parts.map(([atom, count]) => atom + count).join("")),
  atom: fc.oneof(
    { maxDepth: 3, depthSize: "small", withCrossShrink: true },
    fc.constantFrom(
      "a",
      "b",
      "é",
      "😀",
      "€",
      ".",
      "\\d",
      "\\w",
      "\\s",
      "\\S",
      "\\W",
      "[a-c]",
      "[^a]",
      "[é-ü]",
      "[^\\d\\s]",
      "[😀-😎x]",
    ),
    fc.constantFrom("\\.", "\\u00e9", "\\u{1F600}", "\\x41", "\\t", "[\\]\\-]", "[^😀]", "[\\W\\d]"),
    tie("choice").map((inner) => `(?:${inner})`),
    tie("choice").map((inner) => `(${inner})`),
  ),
}));

test("500 random regular expressions: random answers match as a whole, and none comes to a dead end", () => {
  let ended = 0;
  fc.assert(
    fc.property(regexes.choice, fc.boolean(), (pattern, continues) => {
      const whole = new RegExp(`^(?:${pattern})$`, "u");
      for (let seed = 1; seed <= 2; seed++) {
        const answer = walk({ type: "regex", pattern }, seed, { limit: 120, continues });
        if (!answer.ended) continue;
        ended++;
        expect(whole.test(answer.text), `${pattern}: ${JSON.stringify(answer.text)}`).toBe(true);
      }
    }),
    { numRuns: 500, seed: 15 },
  );
  console.log(`regular expressions: ${ended} of 1000 answers ended, all match`);
  expect(ended).toBeGreaterThan(900);
});

test("choices are answered as they are written, spaces and characters of four bytes included", () => {
  const choices = ["Yes", "Yes, please", " no", "é😀", "line\nbreak", "</s>"];
  const found = new Set<string>();
  for (let seed = 0; seed < 80; seed++)
    found.add(walk({ type: "choice", choices }, seed, { continues: true }).text);
  expect([...found].sort()).toEqual([...choices].sort());
});
