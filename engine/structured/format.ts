// Compiles the format of an answer. What cannot be held to is refused, before the first token.
import { outOfRange, shown, wrongType } from "../options/parameter.ts";
import type { AnswerFormat } from "../types/format.ts";
import { compiling, refused } from "./compiling.ts";
import { parseGrammar } from "./ebnf.ts";
import { type Grammar, literals } from "./grammar.ts";
import { schemaGrammar } from "./json-schema/compile.ts";
import { Machine } from "./machine.ts";
import { parseRegex } from "./regex.ts";

/** Characters of a format as JSON, at most. */
const MAX_LENGTH = 1_000_000;
/** Compiled formats that are kept. */
const MAX_KEPT = 16;

const kept = new Map<string, Machine>();

/**
 * The machine of a format, compiled once.
 * @returns undefined if any text will do
 * @throws TypeError, RangeError with `parameter`: "format.schema"
 */
export function machineOf(format: AnswerFormat): Machine | undefined {
  if (check(format).type === "text") return undefined;
  const key = keyOf(format);
  const machine = kept.get(key) ?? compile(format);
  kept.delete(key);
  kept.set(key, machine);
  for (const old of [...kept.keys()].slice(0, -MAX_KEPT)) kept.delete(old);
  return machine;
}

/** The member that each type needs. */
const MEMBERS: Readonly<Record<AnswerFormat["type"], string | undefined>> = {
  text: undefined,
  json: undefined,
  json_schema: "schema",
  regex: "pattern",
  choice: "choices",
  grammar: "grammar",
};

function check(format: AnswerFormat): AnswerFormat {
  const names = Object.keys(MEMBERS);
  if (typeof format !== "object" || format === null)
    throw wrongType(
      "format",
      `expected { type: ${names.map((name) => `"${name}"`).join(" | ")} }, got ${shown(format)}.`,
    );
  if (typeof format.type !== "string" || !Object.hasOwn(MEMBERS, format.type))
    throw outOfRange("format.type", `expected ${names.join(", ")}, got ${shown(format.type)}.`);
  const known = ["type", MEMBERS[format.type] ?? []].flat();
  const other = Object.keys(format).find((name) => !known.includes(name));
  if (other === undefined) return format;
  const member = `format.${other.slice(0, 60)}`;
  throw refused(member, `expected ${known.join(", ")} only, got it. Leave it out.`);
}

/** @throws TypeError for a schema that is not JSON */
function keyOf(format: AnswerFormat): string {
  let key: string;
  try {
    key = JSON.stringify(format);
  } catch {
    throw wrongType(
      "format.schema",
      "expected a schema that can be written as JSON, got a cycle or too deep nesting.",
    );
  }
  if (key.length <= MAX_LENGTH) return key;
  throw outOfRange("format", `expected at most ${MAX_LENGTH} characters as JSON, got ${key.length}.`);
}

const compile = (format: AnswerFormat): Machine =>
  compiling(`format.${MEMBERS[format.type] ?? "type"}`, () => new Machine(grammarOf(format)));

function grammarOf(format: AnswerFormat): Grammar {
  const rules = new Map();
  switch (format.type) {
    case "regex":
      return { start: parseRegex(text("format.pattern", format.pattern)), rules };
    case "choice":
      return { start: literals(checkChoices(format.choices)), rules };
    case "grammar":
      return parseGrammar(text("format.grammar", format.grammar));
    case "json_schema":
      return schemaGrammar(checkSchema(format.schema));
    default:
      return schemaGrammar({ type: "object" });
  }
}

function text(parameter: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw wrongType(parameter, `expected a text, got ${shown(value)}.`);
}

function checkChoices(choices: readonly string[]): readonly string[] {
  const where = "format.choices";
  if (!Array.isArray(choices) || choices.some((choice) => typeof choice !== "string"))
    throw wrongType(where, `expected a list of texts, got ${shown(choices)}.`);
  if (choices.length === 0 || choices.some((choice) => choice === "" || /\p{Surrogate}/u.test(choice)))
    throw outOfRange(where, "expected at least one text, none of them empty or with half a character.");
  return choices;
}

/** A copy, as JSON keeps it. */
function checkSchema<T>(schema: T): T {
  if (
    typeof schema === "boolean" ||
    (typeof schema === "object" && schema !== null && !Array.isArray(schema))
  )
    return JSON.parse(JSON.stringify(schema)) as T;
  throw wrongType("format.schema", `expected a JSON Schema, an object or a boolean, got ${shown(schema)}.`);
}
