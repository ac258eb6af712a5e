// The format of an answer that a request asks for, in each dialect -> the engine's, and the engine's errors
// about it -> the request's field. One reader for OpenAI's chat and text completions with the fields of vLLM
// and llama.cpp, Workers AI and the AI SDK.
import { isObject } from "../../weights/json.ts";
import type { AnswerFormat, JsonSchema } from "../api.ts";
import { isParameterError, outOfRange, shown, unsupported, wrongType } from "../options/parameter.ts";
import { type Given, isNothing, refuseOthers } from "./quiet-fields.ts";
import { checkStrict } from "./strict-schema.ts";

export type Dialect = "chat" | "text" | "workersAi" | "aiSdk";

export interface AskedFormat {
  readonly format: AnswerFormat;
  /** The field of the request that it is in: "guided_regex". */
  readonly field: string;
}

type Reader = (value: unknown, field: string) => AskedFormat | undefined;

const OPEN_SERVERS: Readonly<Record<string, Reader>> = {
  response_format: readResponseFormat,
  // vLLM, before and after it changed the names.
  guided_json: asSchema,
  guided_regex: asPattern,
  guided_choice: asChoices,
  guided_grammar: asGrammar,
  structured_outputs: readStructuredOutputs,
  // llama.cpp
  json_schema: asSchema,
  grammar: asGrammar,
};

const READERS: Readonly<Record<Dialect, Readonly<Record<string, Reader>>>> = {
  chat: OPEN_SERVERS,
  text: OPEN_SERVERS,
  workersAi: { response_format: readBareFormat },
  aiSdk: { responseFormat: readSdkFormat },
};

/** The fields of a dialect that ask for a format. */
export const formatNames = (dialect: Dialect): readonly string[] => Object.keys(READERS[dialect]);

/**
 * What the format says of values is checked by the engine.
 * @returns undefined if any text will do
 * @throws TypeError, RangeError with `parameter`, the field of the request
 */
export function readFormat(given: Given, dialect: Dialect): AskedFormat | undefined {
  return onlyOne(given, READERS[dialect]);
}

function onlyOne(
  given: Given,
  readers: Readonly<Record<string, Reader>>,
  where = "",
): AskedFormat | undefined {
  const asked = Object.entries(readers).flatMap(([name, read]) => {
    const value = given[name];
    // The schema {} allows every value: it asks for JSON.
    const nothing = read === asSchema && isObject(value) ? false : isNothing(value);
    return (!nothing && read(value, where + name)) || [];
  });
  const [first, second] = asked;
  if (second) throw wrongType(second.field, `expected it or ${first?.field}, got both. Leave one out.`);
  return first;
}

function readResponseFormat(value: unknown, field: string): AskedFormat | undefined {
  const { type, ...others } = checkObject(value, field, 'such as { type: "json_object" }');
  const where = `${field}.`;
  switch (type) {
    case "text":
      refuseOthers(others, new Set(), where);
      return undefined;
    case "json_object": {
      // llama.cpp's and Together's form of a schema.
      refuseOthers(others, new Set(["schema"]), where);
      const { schema } = others;
      if (isNothing(schema) && !isObject(schema)) return { format: { type: "json" }, field };
      return asSchema(schema, `${where}schema`);
    }
    case "json_schema": {
      refuseOthers(others, new Set(["json_schema"]), where);
      return readNamedSchema(others["json_schema"], `${where}json_schema`);
    }
    default:
      throw wrongFormatType(type, where, "text, json_object, json_schema");
  }
}

const NAMED = new Set(["name", "description", "schema", "strict"]);

/** OpenAI's schema with a name. */
function readNamedSchema(value: unknown, field: string): AskedFormat {
  const given = checkObject(value, field, "such as { name, schema }");
  refuseOthers(given, NAMED, `${field}.`);
  const { name, description, schema, strict } = given;
  if (!isNothing(name) && (typeof name !== "string" || !/^[\w-]{1,64}$/.test(name)))
    throw outOfRange(`${field}.name`, `expected 1 to 64 letters, digits, "_" or "-", got ${shown(name)}.`);
  if (!isNothing(description) && typeof description !== "string")
    throw wrongType(`${field}.description`, `expected a text, got ${shown(description)}.`);
  if (!isNothing(strict) && strict !== true)
    throw wrongType(`${field}.strict`, `expected true or false, got ${shown(strict)}.`);
  const asked = asSchema(schema, `${field}.schema`);
  if (strict) checkStrict(schema, asked.field);
  return asked;
}

/** Workers AI's: the schema is bare. */
function readBareFormat(value: unknown, field: string): AskedFormat | undefined {
  const {
    type,
    json_schema: schema,
    ...others
  } = checkObject(value, field, 'such as { type: "json_object" }');
  refuseOthers(others, new Set(), `${field}.`);
  const where = `${field}.json_schema`;
  if (type === "json_schema") {
    const wrapped = isObject(schema) && isObject(schema["schema"]) && typeof schema["name"] === "string";
    if (wrapped && !("type" in schema))
      throw wrongType(where, "expected the schema itself, got one with a name, as OpenAI has it.");
    return asSchema(schema, where);
  }
  if (!isNothing(schema)) throw wrongType(where, 'expected type: "json_schema" with it. Change the type.');
  if (type === "text") return undefined;
  if (type === "json_object") return { format: { type: "json" }, field };
  throw wrongFormatType(type, `${field}.`, "text, json_object, json_schema");
}

/** The AI SDK's. */
function readSdkFormat(value: unknown, field: string): AskedFormat | undefined {
  const { type, schema } = checkObject(value, field, 'such as { type: "json" }');
  if (type === "text") return undefined;
  if (type !== "json") throw wrongFormatType(type, `${field}.`, "text, json");
  return schema === undefined ? { format: { type: "json" }, field } : asSchema(schema, `${field}.schema`);
}

const STRUCTURED: Readonly<Record<string, Reader>> = {
  json: asSchema,
  regex: asPattern,
  choice: asChoices,
  grammar: asGrammar,
  json_object: (value, field) => {
    if (value !== true) throw wrongType(field, `expected true or false, got ${shown(value)}.`);
    return { format: { type: "json" }, field };
  },
};

/** vLLM's object with one of several members. */
function readStructuredOutputs(value: unknown, field: string): AskedFormat | undefined {
  const given = checkObject(value, field, "such as { regex }");
  refuseOthers(given, new Set(Object.keys(STRUCTURED)), `${field}.`);
  return onlyOne(given, STRUCTURED, `${field}.`);
}

/** @param value also a schema as JSON text */
function asSchema(value: unknown, field: string): AskedFormat {
  let schema = value;
  if (typeof value === "string") {
    try {
      schema = JSON.parse(value);
    } catch (error) {
      throw outOfRange(
        field,
        `expected a JSON Schema, got text that is no JSON: ${(error as Error).message}.`,
      );
    }
  }
  if (!isObject(schema)) throw wrongType(field, `expected a JSON Schema, an object, got ${shown(schema)}.`);
  return { format: { type: "json_schema", schema: schema as JsonSchema }, field };
}

function asPattern(value: unknown, field: string): AskedFormat {
  return { format: { type: "regex", pattern: checkText(value, field) }, field };
}

function asGrammar(value: unknown, field: string): AskedFormat {
  return { format: { type: "grammar", grammar: checkText(value, field) }, field };
}

function asChoices(value: unknown, field: string): AskedFormat {
  if (!Array.isArray(value) || !value.every((each) => typeof each === "string"))
    throw wrongType(field, `expected a list of texts, got ${shown(value)}.`);
  return { format: { type: "choice", choices: value }, field };
}

function checkText(value: unknown, field: string): string {
  if (typeof value === "string") return value;
  throw wrongType(field, `expected a text, got ${shown(value)}.`);
}

function checkObject(value: unknown, field: string, example: string): Given {
  if (isObject(value)) return value;
  throw wrongType(field, `expected an object ${example}, got ${shown(value)}.`);
}

const wrongFormatType = (type: unknown, where: string, expected: string) =>
  outOfRange(`${where}type`, `expected ${expected}, got ${shown(type)}.`);

/** The engine's names of a format and its members. */
const IN_ENGINE = /^format(?:\.(?:schema|pattern|choices|grammar))?(?=$|[.[])/;

/** An error of the engine about the format, with the request's field as `parameter` and in its message. */
export function inRequest(error: unknown, asked: AskedFormat | undefined): unknown {
  if (!asked || !isParameterError(error) || !IN_ENGINE.test(error.parameter)) return error;
  const { parameter, code, message, detail = message, path = "" } = error;
  const name = parameter.replace(IN_ENGINE, () => asked.field) + path;
  const kinds = { "wrong-type": wrongType, "out-of-range": outOfRange, unsupported };
  const own = code === "unsupported" ? `${name}: ${detail}` : detail;
  return Object.assign(kinds[code](name, own), { cause: error });
}

/** An answer whose errors about the format name the request's field. */
export async function* withNames<T>(
  chunks: AsyncGenerator<T, void, void>,
  asked: AskedFormat | undefined,
): AsyncGenerator<T, void, void> {
  try {
    yield* chunks;
  } catch (error) {
    throw inRequest(error, asked);
  }
}
