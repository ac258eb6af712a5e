// Formats that ask for too much are refused, or held to in little time: clients of a server send them.
import { expect, test } from "vitest";
import { machineOf } from "../../../engine/structured/format.ts";
import type { AnswerFormat, JsonSchema } from "../../../engine/types/format.ts";
import { walk } from "./walk.ts";

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const ladder = (below: (ref: JsonSchema) => JsonSchema): JsonSchema => ({
  $ref: "#/$defs/l24",
  $defs: Object.fromEntries(
    range(25).map((i) => [`l${i}`, i === 0 ? { type: "null" } : below({ $ref: `#/$defs/l${i - 1}` })]),
  ),
});
const twoOf = (each: JsonSchema): JsonSchema => ({
  type: "object",
  properties: { a: each, b: each, c: each },
  required: ["a", "b", "c"],
});
const schema = (each: JsonSchema): AnswerFormat => ({ type: "json_schema", schema: each });

test.each<[string, AnswerFormat]>([
  ["a list of 20,000 texts", { type: "choice", choices: range(20_000).map((i) => `text ${i}`) }],
  ["an enum of 20,000", schema({ enum: range(20_000).map((i) => `text ${i}`) })],
  ["900 properties that follow", schema({ required: range(900).map((i) => `p${i}`) })],
])("held to: %s", { timeout: 10_000 }, (_, format) => {
  expect(walk(format, 1, { limit: 20 }).tokens).toBeGreaterThan(1);
});

test.each<[string, AnswerFormat, string]>([
  [
    "a pattern that searches for ever",
    schema({ enum: [`${"a".repeat(40)}!`], pattern: "^(a+)+$" }),
    "at least one",
  ],
  [
    "options in options",
    schema(ladder((each) => ({ anyOf: range(9).map(() => each), enum: [1] }))),
    "fewer options",
  ],
  [
    "options that might exclude each other",
    schema({ ...(ladder(twoOf) as object), oneOf: [{ $ref: "#/$defs/l24" }, { $ref: "#/$defs/l24" }] }),
    "fewer options",
  ],
  ["4,000 lists to choose from", schema({ enum: range(4000).map((i) => [i]) }), "at most 1000 values"],
  [
    "5,000 properties",
    schema({ properties: Object.fromEntries(range(5000).map((i) => [`p${i}`, {}])) }),
    "at most 1000",
  ],
  [
    "10,000 conditions",
    schema({ allOf: range(10_000).map((minimum) => ({ minimum })) }),
    "at most 256 schemas",
  ],
  [
    "two searches at once",
    schema({ allOf: ["a.{500}", "b.{500}"].map((pattern) => ({ pattern })) }),
    "fewer conditions",
  ],
  [
    "parts that may be empty, doubled 30 times",
    {
      type: "grammar",
      grammar: `root ::= r30 "z"\nr0 ::= "a"?\n${range(30)
        .map((i) => `r${i + 1} ::= r${i} r${i}`)
        .join("\n")}`,
    },
    "less nesting",
  ],
])("refused soon: %s", { timeout: 10_000 }, (_, format, message) => {
  expect(() => walk(format, 1, { limit: 20 })).toThrow(message);
});

test("a text that can be read in ever more ways is refused as the format's fault", () => {
  const machine = machineOf({ type: "grammar", grammar: 'root ::= s*\ns ::= "a" s? s? s?' });
  const error = thrownBy(() => {
    let state = machine?.initial;
    while (state) state = machine?.transition(state, 0x61) ?? undefined;
  });
  expect(error).toMatchObject({ parameter: "format", code: "out-of-range" });
  expect(String(error)).toContain("Make it less ambiguous.");
});

function thrownBy(call: () => unknown): unknown {
  try {
    call();
    return undefined;
  } catch (error) {
    return error;
  }
}
