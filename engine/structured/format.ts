// Compiles the format of an answer. What cannot be held to is refused, before the first token.
import { compileJsonSchema } from "structured-output-engine";
import { isParameterError, outOfRange, shown, unsupported, wrongType } from "../options/parameter.ts";
import type { AnswerFormat } from "../types/format.ts";
import type { Language } from "./format-constraint.ts";
import { choiceMachine, type Machine } from "./machine.ts";
import { regexMachine } from "./regex/machine.ts";
import { LONGEST_TOKEN } from "./token-bytes.ts";
import { utf8Machine } from "./utf8-machine.ts";

/** Characters of a schema as JSON, at most. */
const MAX_SCHEMA = 1_000_000;
/** Compiled formats that are kept. */
const MAX_KEPT = 16;

const kept = new Map<string, Language>();

/**
 * The machine of a format, compiled once.
 * @throws TypeError, RangeError with `parameter`: "format.schema"
 */
export function languageOf(format: AnswerFormat): Language | undefined {
  const { type } = check(format);
  if (type === "text") return undefined;
  const key = keyOf(format);
  const language = kept.get(key) ?? { machine: machineOf(format), isJson: /^json/.test(type) };
  kept.delete(key);
  kept.set(key, language);
  for (const old of [...kept.keys()].slice(0, -MAX_KEPT)) kept.delete(old);
  return language;
}

/** The members that each type needs. */
const MEMBERS: Readonly<Record<AnswerFormat["type"], readonly string[]>> = {
  text: [],
  json: [],
  json_schema: ["schema"],
  regex: ["pattern"],
  choice: ["choices"],
  grammar: ["grammar"],
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
  const known = ["type", ...MEMBERS[format.type]];
  const other = Object.keys(format).find((name) => !known.includes(name));
  if (other !== undefined) {
    const member = `format.${other.slice(0, 60)}`;
    throw unsupported(member, `${member}: expected ${known.join(", ")} only, got it. Leave it out.`);
  }
  return format;
}

/** @throws TypeError for a schema that is not JSON */
function keyOf(format: AnswerFormat): string {
  let key: string;
  try {
    key = JSON.stringify(format);
  } catch {
    throw wrongType("format.schema", "expected a schema that can be written as JSON, got a cycle.");
  }
  if (key.length <= MAX_SCHEMA) return key;
  throw outOfRange("format", `expected at most ${MAX_SCHEMA} characters as JSON, got ${key.length}.`);
}

function machineOf(format: AnswerFormat): Machine {
  switch (format.type) {
    case "regex":
      if (typeof format.pattern !== "string")
        throw wrongType("format.pattern", `expected a text, got ${shown(format.pattern)}.`);
      return refused("format.pattern", () => regexMachine(format.pattern) as Machine);
    case "choice":
      return choiceMachine(checkChoices(format.choices)) as Machine;
    case "grammar":
      throw unsupported(
        "format.grammar",
        "format.grammar: expected no grammar, got one. Sirocco has none yet.",
      );
    case "json_schema":
      return refused("format.schema", () => schemaMachine(format.schema));
    default:
      return schemaMachine({ type: "object" });
  }
}

function checkChoices(choices: readonly string[]): readonly string[] {
  const where = "format.choices";
  if (!Array.isArray(choices) || choices.some((choice) => typeof choice !== "string"))
    throw wrongType(where, `expected a list of texts, got ${shown(choices)}.`);
  if (choices.length === 0 || choices.some((choice) => choice === "" || !choice.isWellFormed()))
    throw outOfRange(where, "expected at least one text, none of them empty or with half a character.");
  return choices;
}

/** The schema is copied: the machine keeps what it learns by the objects in it. */
const schemaMachine = (schema: unknown): Machine =>
  utf8Machine(compileJsonSchema(structuredClone(schema) as never, LONGEST_TOKEN)) as Machine;

function refused(parameter: string, compile: () => Machine): Machine {
  try {
    return compile();
  } catch (error) {
    if (isParameterError(error)) throw error;
    throw unsupported(parameter, `${parameter}: ${sentence((error as Error).message)}`);
  }
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
