// Grammars in EBNF: what they mean, and what is refused.
import { expect, test } from "vitest";
import { walk } from "./walk.ts";

const answers = (grammar: string, count = 40, limit = 400): string[] =>
  Array.from({ length: count }, (_, seed) => walk({ type: "grammar", grammar }, seed + 1, { limit }))
    .filter(({ ended }) => ended)
    .map(({ text }) => text);

test.each([
  ["texts and options", 'root ::= "yes" | "no" # a comment\n  | "may\\"be"', /^(yes|no|may"be)$/],
  ["classes", "root ::= [a-c\\]\\-]{2} [^\\x00-\\u00ff]", /^[a-c\]-]{2}[^\u0000-\u00ff]$/u],
  ["counts", 'root ::= "a"{2,3} "b"? ("c" "d")+ "e"{0,1}', /^a{2,3}b?(cd)+e?$/],
  ["escapes", 'root ::= "\\n\\t\\\\" [\\n] "\\u{1F600}\\U0001F600\\x41"', /^\n\t\\\n😀😀A$/u],
  ["any character", "root ::= . .", /^.{2}$/su],
  ["several lines in a group", 'root ::= (\n  "a"\n  | "b" # here\n)\n', /^[ab]$/],
  ["names", 'root ::= rule-1 | rule_2\nrule-1 ::= "1"\nrule_2 ::= "2" rule-1', /^(1|21)$/],
  ["an empty option", 'root ::= "(" inner ")"\ninner ::= "x" | ', /^\(x?\)$/],
])("%s", (_, grammar, expected) => {
  const found = answers(grammar);
  expect(found.length).toBeGreaterThan(20);
  for (const text of found) expect(text).toMatch(expected);
});

test("rules that nest: brackets are closed in order, as deep as they go", () => {
  const found = answers('root ::= pair+\npair ::= "(" root? ")" | "[" pair* "]"', 200, 60);
  expect(found.length).toBeGreaterThan(100);
  for (const text of found) {
    let rest = text;
    for (let before = ""; before !== rest; ) {
      before = rest;
      rest = rest.replace(/\(\)|\[\]/g, "");
    }
    expect(rest, text).toBe("");
  }
  expect(Math.max(...found.map(({ length }) => length))).toBeGreaterThan(12);
});

test("JSON in EBNF is JSON", () => {
  const grammar = `
    root   ::= value
    value  ::= object | array | string | number | "true" | "null"
    object ::= "{" (member ("," member)*)? "}"
    member ::= string ":" value
    array  ::= "[" (value ("," value)*)? "]"
    string ::= "\\"" ([^"\\\\\\x00-\\x1f] | "\\\\" ["\\\\/bfnrt])* "\\""
    number ::= "-"? ("0" | [1-9] [0-9]*) ("." [0-9]+)?
  `.replaceAll(/^ {4}/gm, "");
  const found = answers(grammar, 60, 200);
  expect(found.length).toBeGreaterThan(30);
  for (const text of found) expect(() => JSON.parse(text), text).not.toThrow();
});

test.each([
  ["no root", 'start ::= "a"', 'expected a rule "root", got none'],
  ["no rule of a name", "root ::= other", 'expected a rule "other", got none'],
  ["a rule that begins with itself", 'root ::= root "a" | "b"', "begins with itself"],
  [
    "begins with itself by way of others",
    'root ::= a\na ::= "x"? b\nb ::= a "y" | "z"',
    "begins with itself",
  ],
  ["no text", 'root ::= "a" root', "expected at least one text that it allows, got none"],
  ["no end of a text", 'root ::= "a\nb"', "expected the closing quote in line 1"],
  ["a name twice", 'root ::= "a"\nroot ::= "b"', 'expected one rule "root" in line 2'],
  ["an unknown escape", 'root ::= "\\q"', "expected a known escape of a whole character in line 1"],
  ["half a character", 'root ::= "\\ud800"', "expected a known escape of a whole character in line 1"],
  ["a range backwards", "root ::= [z-a]", "expected a range from a character to a later one in line 1"],
  ["wrong counts", 'root ::= "a"{3,2}', "expected {m}, {m,} or {m,n} with counts up to 10000 in line 1"],
  ["no group's end", 'root ::= ("a"', 'expected ")" in line 1, got the end'],
  ["no rule", "??", "expected a rule: name ::= … in line 1"],
  ["groups in groups", `root ::= ${"(".repeat(200)}"a"${")".repeat(200)}`, "at most 100 groups in groups"],
])("refused: %s", (_, grammar, message) => {
  expect(() => walk({ type: "grammar", grammar }, 1)).toThrow(`format.grammar: `);
  expect(() => walk({ type: "grammar", grammar }, 1)).toThrow(message);
});
