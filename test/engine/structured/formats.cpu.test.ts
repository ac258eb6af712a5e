// Every answer that is held to a format and ends is of the format, whichever tokens are picked.
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseRegex } from "../../../engine/structured/regex.ts";
import type { JsonSchema } from "../../../engine/types/format.ts";
import { isWhole } from "./ends.ts";
import { KEYWORDS } from "./keywords.ts";
import { walk } from "./walk.ts";

const ajv = new Ajv2020({ strict: false, allErrors: false, logger: false });
/** Random answers to a random schema. */
const RUNS = 7;

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
    fc.constantFrom({ $ref: "#/$defs/tree" }, { $ref: "#/$defs/list" }),
    fc
      .tuple(fc.integer({ min: -400, max: 400 }), fc.integer({ min: 1, max: 99 }), fc.boolean())
      .map(([least, more, isOpen]) => ({
        type: "number",
        [isOpen ? "exclusiveMinimum" : "minimum"]: least / 16,
        [isOpen ? "exclusiveMaximum" : "maximum"]: (least + more) / 16,
      })),
    fc
      .tuple(fc.constantFrom('[a-c"]', "\\\\|é|😀", "^\\w+@\\d$", "x{2,3}$"), fc.nat(2), fc.nat(6))
      .map(([pattern, minLength, more]) => ({
        type: "string",
        pattern,
        minLength,
        maxLength: 3 + minLength + more,
      })),
  ),
}));
const tree = {
  type: "object",
  properties: {
    kids: { type: "array", items: { $ref: "#/$defs/tree" }, maxItems: 2 },
    list: { $ref: "#/$defs/list" },
  },
  required: ["list"],
};
const list = {
  anyOf: [{ type: "null" }, { type: "array", prefixItems: [{ enum: ["é\n"] }, { $ref: "#/$defs/list" }] }],
};

test("200 random schemas: random answers are valid, and none comes to a dead end", () => {
  let ended = 0;
  fc.assert(
    fc.property(schemas.any, (schema) => {
      ended += expectValid({ ...(schema as object), $defs: { tree, list } });
    }),
    { numRuns: 200, seed: 15, endOnFailure: true },
  );
  console.log(`JSON Schema: ${ended} of ${200 * RUNS} answers ended, all valid`);
  expect(ended).toBeGreaterThan(190 * RUNS);
});

test("JSON Schema: an option which never ends is not begun", () => {
  const endless = { type: "object", properties: { kid: { $ref: "#/$defs/endless" } }, required: ["kid"] };
  const schema = { anyOf: [{ type: "null" }, { $ref: "#/$defs/endless" }], $defs: { endless } };
  for (let seed = 1; seed < 9; seed++) expect(walk({ type: "json_schema", schema }, seed).text).toBe("null");
});

/** Regular expressions of what is supported, in JavaScript's syntax. */
const regexes = fc.letrec<{ choice: string; sequence: string; atom: string; character: string }>((tie) => ({
  choice: fc.array(tie("sequence"), { minLength: 1, maxLength: 2 }).map((options) => options.join("|")),
  sequence: fc.array(tie("atom"), { minLength: 1, maxLength: 3 }).map((parts) => parts.join("")),
  atom: fc.oneof(
    { maxDepth: 2, depthSize: "small", withCrossShrink: true },
    fc
      .tuple(tie("character"), fc.constantFrom("", "", "", "?", "{2}", "{0,2}", "{1,3}?", "+", "*", "{3,}"))
      .map(([character, count]) => character + count),
    fc
      .tuple(tie("choice"), fc.constantFrom("(?:", "("), fc.constantFrom("", "?", "{2}", "{0,2}"))
      .map(([inner, open, count]) => `${open}${inner})${count}`),
  ),
  character: fc.constantFrom(
    ...["a", "b", "é", "😀", "€", ".", "\\d", "\\w", "\\s", "\\S", "\\W", "[a-c]", "[^a]", "[é-ü]"],
    ...[
      "[^\\d\\s]",
      "[😀-😎x]",
      "\\.",
      "\\u00e9",
      "\\u{1F600}",
      "\\x41",
      "\\t",
      "[\\]\\-]",
      "[^😀]",
      "[\\W\\d]",
    ],
  ),
}));

test("500 random regular expressions: random answers match as a whole, and none comes to a dead end", () => {
  let ended = 0;
  fc.assert(
    fc.property(regexes.choice, fc.boolean(), (pattern, continues) => {
      const expression = parseRegex(pattern);
      for (let seed = 1; seed <= 2; seed++) {
        const answer = walk({ type: "regex", pattern }, seed, { limit: 120, continues });
        if (!answer.ended) continue;
        ended++;
        expect(isWhole(expression, answer.text), `${pattern}: ${JSON.stringify(answer.text)}`).toBe(true);
      }
    }),
    { numRuns: 500, seed: 15, endOnFailure: true },
  );
  console.log(`regular expressions: ${ended} of 1000 answers ended, all match`);
  expect(ended).toBeGreaterThan(800);
});

test("regular expressions mean what they mean in JavaScript", () => {
  // Its own search takes for ever on stars in stars: short ones only.
  const short = regexes.choice.filter((pattern) => pattern.length < 24);
  const texts = fc.string({ unit: fc.constantFrom(..."abc é😀€\n.]-A9_".match(/./gsu)!), maxLength: 5 });
  fc.assert(
    fc.property(short, texts, (pattern, text) => {
      const whole = new RegExp(`^(?:${pattern})$`, "u").test(text);
      expect(isWhole(parseRegex(pattern), text), `${pattern}: ${JSON.stringify(text)}`).toBe(whole);
      const found = new RegExp(pattern, "u").test(text);
      expect(isWhole(parseRegex(pattern, true), text), `search ${pattern}`).toBe(found);
    }),
    { numRuns: 2000, seed: 15, endOnFailure: true },
  );
});

test("choices are answered as they are written, spaces and characters of four bytes included", () => {
  const choices = ["Yes", "Yes, please", " no", "é😀", "line\nbreak", "</s>"];
  const found = new Set<string>();
  for (let seed = 0; seed < 80; seed++)
    found.add(walk({ type: "choice", choices }, seed, { continues: true }).text);
  expect([...found].sort()).toEqual([...choices].sort());
});
