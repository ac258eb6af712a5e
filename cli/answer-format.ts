// Options that hold an answer to a format.
import { type Command, Option } from "commander";
import { isParameterError } from "../engine/options/parameter.ts";
import { findSlip } from "../server/json-slip.ts";
import type { AnswerFormat } from "./engine.ts";
import { UsageError } from "./errors.ts";
import { readTextFile } from "./input.ts";
import { addOptions } from "./options.ts";
import { expected, nonEmpty } from "./parse.ts";

export interface FormatOptions {
  readonly jsonObject?: boolean;
  readonly jsonSchema?: string;
  readonly regex?: string;
  readonly choice?: readonly string[];
  readonly grammar?: string;
  readonly stop?: readonly string[];
  readonly ignoreEos?: boolean;
}

export const addFormatOptions = (command: Command): Command =>
  addOptions(command, "Format (at most one)", [
    new Option("--json-schema <file>", "JSON of the JSON Schema in a file").argParser(
      nonEmpty("--json-schema", "a file"),
    ),
    new Option("--json-object", "a JSON object"),
    new Option("--regex <pattern>", "a text that matches a regular expression as a whole").argParser(
      nonEmpty("--regex", "a pattern"),
    ),
    new Option("--choice <a,b,c>", "one of these texts; repeatable").argParser(choices),
    new Option("--grammar <file>", "a text of the grammar in a file, in EBNF (GBNF)").argParser(
      nonEmpty("--grammar", "a file"),
    ),
  ]);

/** Texts separated by commas, without blanks around them, added to earlier ones. */
function choices(text: string, before: readonly string[] = []): readonly string[] {
  const values = text.split(",").map((part) => part.trim());
  if (values.includes("")) throw expected("--choice", "texts separated by commas, as in yes,no", text);
  return [...before, ...values];
}

/** Flag, and the format that it asks for with where its value is, for messages. */
type Asked = readonly [flag: string, read: () => Promise<readonly [AnswerFormat, where: string]>];

/**
 * Reads files, and compiles the format: what cannot be held to is refused before a model is loaded.
 * @returns undefined if none of the options is given
 * @throws UsageError
 */
export async function readAnswerFormat(options: FormatOptions): Promise<AnswerFormat | undefined> {
  const [first, second] = [...askedFor(options)];
  if (!first) return undefined;
  const [flag, read] = first;
  if (second) throw new UsageError(`${second[0]}: expected one format, got ${flag} as well. Leave one out.`);
  if (options.stop?.length) throw new UsageError(`--stop: expected none with ${flag}. Leave one out.`);
  if (options.ignoreEos) throw new UsageError(`--ignore-eos: expected none with ${flag}. Leave one out.`);
  const [format, where] = await read();
  const { machineOf } = await import("../engine/structured/format.ts");
  try {
    machineOf(format);
  } catch (error) {
    if (!isParameterError(error)) throw error;
    const { path, detail = error.message } = error;
    throw new UsageError(`${where}: ${path ? `$${path}: ` : ""}${detail}`);
  }
  return format;
}

function* askedFor({ jsonObject, jsonSchema, regex, choice, grammar }: FormatOptions): Generator<Asked> {
  if (jsonSchema !== undefined) {
    const where = `--json-schema ${jsonSchema}`;
    const read = async () => parse(await readTextFile(jsonSchema, "--json-schema"), where);
    yield ["--json-schema", async () => [{ type: "json_schema", schema: await read() }, where]];
  }
  if (jsonObject) yield ["--json-object", async () => [{ type: "json" }, "--json-object"]];
  if (regex !== undefined) yield ["--regex", async () => [{ type: "regex", pattern: regex }, "--regex"]];
  if (choice) yield ["--choice", async () => [{ type: "choice", choices: choice }, "--choice"]];
  if (grammar !== undefined) {
    const read = () => readTextFile(grammar, "--grammar");
    yield ["--grammar", async () => [{ type: "grammar", grammar: await read() }, `--grammar ${grammar}`]];
  }
}

function parse(text: string, where: string): boolean | { readonly [keyword: string]: unknown } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const slip = findSlip(text);
    const reason = slip
      ? `line ${slip.line}, column ${slip.column}: expected ${slip.expected}, got ${slip.got}`
      : "expected JSON";
    throw new UsageError(`${where}: ${reason}`);
  }
  if (typeof value === "boolean" || (typeof value === "object" && value !== null && !Array.isArray(value)))
    return value as { readonly [keyword: string]: unknown };
  throw new UsageError(`${where}: expected a JSON Schema, which is an object, got another value`);
}
