// Options that hold an answer to a format: what reaches the engine, and what is refused before a model is
// loaded.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sirocco } from "./fakes.ts";

const folder = mkdtempSync(join(tmpdir(), "sirocco-"));
function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const schema = { type: "object", properties: { age: { type: "integer" } }, required: ["age"] };
const PET = file("pet.json", JSON.stringify(schema, null, 2));
const EBNF = 'root ::= "a" | "b" root\n';
const LETTERS = file("letters.gbnf", EBNF);

test.each<[args: readonly string[], format: object]>([
  [["--json-schema", PET], { type: "json_schema", schema }],
  [["--json-object"], { type: "json" }],
  [["--regex", "[a-c]{2}"], { type: "regex", pattern: "[a-c]{2}" }],
  [["--choice", "yes, no", "--choice", "perhaps"], { type: "choice", choices: ["yes", "no", "perhaps"] }],
  [["--grammar", LETTERS], { type: "grammar", grammar: EBNF }],
])("%j, for generate and chat", async (args, format) => {
  const { code, engine } = await sirocco(["generate", "x", ...args]);
  expect(code).toBe(0);
  expect(engine.called("generate")[0]?.options.format).toEqual(format);
  const chat = await sirocco(["chat", ...args], { stdin: "a\nb\n" });
  expect(chat.engine.called("chat").map(({ options }) => options.format)).toEqual([format, format]);
});

test("without them there is no format", async () => {
  const { engine } = await sirocco(["generate", "x"]);
  expect(engine.called("generate")[0]?.options).not.toHaveProperty("format");
});

describe("refused before a model is loaded", () => {
  const wrong = (keyword: object) => ({ ...schema, properties: { age: keyword } });
  const [bad, slip, list, ebnf] = [
    file("bad.json", JSON.stringify(wrong({ unevaluatedProperties: false }))),
    file("slip.json", '{\n  "type": "object"\n  "required": []\n}'),
    file("list.json", "[1]"),
    file("bad.gbnf", 'root ::= "a"\n  | ("b"\n'),
  ];
  test.each<[args: readonly string[], message: RegExp | string]>([
    [["--regex", "a", "--choice", "a"], "--choice: expected one format, got --regex as well. Leave one out."],
    [["--json-object", "--grammar", LETTERS], /^--grammar: expected one format, got --json-object as well/],
    [["--regex", "a", "--stop", "b"], "--stop: expected none with --regex. Leave one out."],
    [["--json-object", "--ignore-eos"], "--ignore-eos: expected none with --json-object. Leave one out."],
    [["--choice", "a,,b"], '--choice: expected texts separated by commas, as in yes,no, got "a,,b"'],
    [["--regex", "a("], /^--regex: .*\S/],
    [["--regex", "(?=a)b"], /^--regex: .*\S/],
    [["--json-schema", bad], /^--json-schema \S+bad\.json: \$\.properties\.age\.unevaluatedProperties: /],
    [
      ["--json-schema", slip],
      /^--json-schema \S+slip\.json: line 3, column 3: expected "," or "}", got '"'$/,
    ],
    [["--json-schema", list], /^--json-schema \S+list\.json: expected a JSON Schema, which is an object/],
    [["--grammar", ebnf], /^--grammar \S+bad\.gbnf: expected .* line 3/],
  ])("%j", async (args, message) => {
    for (const command of [["generate", "x"], ["chat"]]) {
      const { code, stdout, stderr, engine } = await sirocco([...command, ...args], { stdin: "a\n" });
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toMatch(/^sirocco: .*\n$/);
      const said = stderr.slice("sirocco: ".length, -1);
      if (typeof message === "string") expect(said).toBe(message);
      else expect(said).toMatch(message);
      expect(engine.calls).toEqual([]);
    }
  });

  test("a file that is missing", async () => {
    const { code, stderr } = await sirocco(["generate", "x", "--json-schema", join(folder, "none.json")]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^sirocco: --json-schema \S+none\.json: cannot be read/);
  });
});
