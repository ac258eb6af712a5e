// The format of an answer in each dialect: which fields say it, and which field an error names.
import { describe, expect, test } from "vitest";
import { readCall } from "../../engine/apis/ai-sdk/call.ts";
import { type AskedFormat, inRequest } from "../../engine/apis/answer-format.ts";
import { openai } from "../../engine/apis/openai/completions.ts";
import { readRequest } from "../../engine/apis/openai/request.ts";
import { readInput } from "../../engine/apis/workers-ai/input.ts";
import { outOfRange, unsupported, wrongType } from "../../engine/options/parameter.ts";
import { readCompletion } from "../../server/routes/completion-request.ts";
import { fakeModel } from "../fake-model.ts";

const messages = [{ role: "user", content: "Hello" }] as const;
const chat = (body: object) => readRequest({ messages, ...body } as never);
const text = (body: object) => readCompletion({ prompt: "Hello", ...body });
const ai = (body: object) => readInput({ prompt: "Hello", ...body });
const sdk = (body: object) => readCall({ prompt: [], ...body } as never);

const schema = { type: "object", properties: { a: { type: "integer" } }, required: ["a"] };
const strict = { ...schema, additionalProperties: false };
const json = { type: "json_schema", schema };
const openAi = (json_schema: object) => ({ response_format: { type: "json_schema", json_schema } });

const refusal = (read: () => unknown): { readonly parameter: string; readonly message: string } => {
  try {
    read();
  } catch (error) {
    return error as never;
  }
  return expect.fail("nothing was refused");
};

describe("chat and text completions", () => {
  test.each<[body: object, format: object, field: string]>([
    [{ response_format: { type: "json_object" } }, { type: "json" }, "response_format"],
    [{ response_format: { type: "json_object", schema } }, json, "response_format.schema"],
    [openAi({ name: "a", schema, strict: false }), json, "response_format.json_schema.schema"],
    [
      openAi({ name: "a", description: "b", schema: strict, strict: true }),
      { ...json, schema: strict },
      "response_format.json_schema.schema",
    ],
    [{ guided_json: schema, response_format: { type: "text" } }, json, "guided_json"],
    [{ guided_json: JSON.stringify(schema) }, json, "guided_json"],
    [{ guided_json: {} }, { type: "json_schema", schema: {} }, "guided_json"],
    [{ guided_regex: "a+" }, { type: "regex", pattern: "a+" }, "guided_regex"],
    [{ guided_choice: ["a", "b"] }, { type: "choice", choices: ["a", "b"] }, "guided_choice"],
    [{ guided_grammar: 'root ::= "a"' }, { type: "grammar", grammar: 'root ::= "a"' }, "guided_grammar"],
    [{ structured_outputs: { json: schema } }, json, "structured_outputs.json"],
    [
      { structured_outputs: { json: null, regex: "a" } },
      { type: "regex", pattern: "a" },
      "structured_outputs.regex",
    ],
    [
      { structured_outputs: { choice: ["a"] } },
      { type: "choice", choices: ["a"] },
      "structured_outputs.choice",
    ],
    [{ structured_outputs: { json_object: true } }, { type: "json" }, "structured_outputs.json_object"],
    [{ json_schema: schema, grammar: "" }, json, "json_schema"],
    [{ grammar: 'root ::= "a"' }, { type: "grammar", grammar: 'root ::= "a"' }, "grammar"],
  ])("%j", (body, format, field) => {
    for (const read of [chat, text]) {
      const { options, asked } = read(body);
      expect(options.format).toEqual(format);
      expect(asked).toEqual({ format, field });
    }
  });

  test.each([
    [{ response_format: "json" }, "response_format"],
    [{ response_format: { type: "json" } }, "response_format.type"],
    [{ response_format: { type: "structural_tag", structures: [] } }, "response_format.type"],
    [{ response_format: { type: "json_schema" } }, "response_format.json_schema"],
    [openAi({ name: "a" }), "response_format.json_schema.schema"],
    [openAi({ name: "a b", schema }), "response_format.json_schema.name"],
    [openAi({ name: "a", schema, strict: "yes" }), "response_format.json_schema.strict"],
    [openAi({ name: "a", schema, stricter: true }), "response_format.json_schema.stricter"],
    [{ response_format: { type: "json_schema", json_schema: { schema }, x: 1 } }, "response_format.x"],
    [{ guided_json: "{" }, "guided_json"],
    [{ guided_json: "[1]" }, "guided_json"],
    [{ guided_regex: 5 }, "guided_regex"],
    [{ guided_choice: "a" }, "guided_choice"],
    [{ guided_choice: ["a", 1] }, "guided_choice"],
    [{ structured_outputs: { regexp: "a" } }, "structured_outputs.regexp"],
    [{ structured_outputs: { json_object: "yes" } }, "structured_outputs.json_object"],
    [{ structured_outputs: { regex: "a", choice: ["a"] } }, "structured_outputs.choice"],
    [{ guided_json: schema, guided_regex: "a" }, "guided_regex"],
    [{ response_format: { type: "json_object" }, grammar: "a" }, "grammar"],
    [{ guided_regex: "a", stop: "b" }, "stop"],
    [{ guided_whitespace_pattern: " " }, "guided_whitespace_pattern"],
  ])("%j is refused by name", (body, parameter) => {
    for (const read of [chat, text]) {
      const error = refusal(() => read(body));
      expect(error.parameter).toBe(parameter);
      expect(error.message).toMatch(/^[\w.]+: expected .*\.$/);
    }
  });
});

describe("strict: true", () => {
  const part = (a: object) => ({ ...strict, properties: { a } });
  test.each<[schema: object, place: string]>([
    [schema, ".additionalProperties"],
    [{ ...strict, required: [] }, ".required"],
    [{ type: "array", items: strict }, ".type"],
    [{ anyOf: [strict, { type: "null" }] }, ".type"],
    [part({ type: "object" }), ".properties.a.additionalProperties"],
    [part({ type: ["object", "null"] }), ".properties.a.additionalProperties"],
    [part({ type: "array", items: schema }), ".properties.a.items.additionalProperties"],
    [part({ anyOf: [{ type: "null" }, schema] }), ".properties.a.anyOf[1].additionalProperties"],
    [{ ...strict, $defs: { "b c": schema } }, '.$defs["b c"].additionalProperties'],
    [{ $ref: "#/$defs/b", $defs: { b: schema } }, ".$defs.b.additionalProperties"],
    [{ $ref: "#/$defs/c", $defs: { b: strict } }, ".type"],
  ])("refuses %j by its place", (given, place) => {
    const { parameter, message } = refusal(() => chat(openAi({ name: "a", schema: given, strict: true })));
    expect(parameter).toBe(`response_format.json_schema.schema${place}`);
    expect(message.startsWith(`${parameter}: expected `)).toBe(true);
    expect(() => chat(openAi({ name: "a", schema: given }))).not.toThrow();
  });

  test.each([
    [strict],
    [part({ anyOf: [{ type: "null" }, strict] })],
    [{ $ref: "#/$defs/b", $defs: { b: strict } }],
  ])("accepts %j", (given) => {
    expect(chat(openAi({ name: "a", schema: given, strict: true })).options.format).toEqual({
      type: "json_schema",
      schema: given,
    });
  });
});

describe("Workers AI", () => {
  const bare = (json_schema: unknown) => ({ response_format: { type: "json_schema", json_schema } });

  test("takes a bare schema", () => {
    expect(ai(bare(schema)).asked).toEqual({ format: json, field: "response_format.json_schema" });
    const object = ai({ response_format: { type: "json_object" } });
    expect(object.asked).toEqual({ format: { type: "json" }, field: "response_format" });
  });

  test.each([
    [bare({ name: "a", schema }), "response_format.json_schema"],
    [bare(undefined), "response_format.json_schema"],
    [{ response_format: { type: "json_object", json_schema: schema } }, "response_format.json_schema"],
    [{ response_format: { type: "regex" } }, "response_format.type"],
    [{ ...bare(schema), stream: true }, "stream"],
    [{ guided_json: schema }, "guided_json"],
  ])("%j is refused by name", (body, parameter) => {
    expect(refusal(() => ai(body))).toMatchObject({ parameter, code: 5006, status: 400 });
  });
});

test("the AI SDK's", () => {
  expect(sdk({ responseFormat: { type: "text" } }).options).toEqual({});
  expect(sdk({ responseFormat: { type: "json" } }).options).toEqual({ format: { type: "json" } });
  const named = sdk({ responseFormat: { type: "json", schema, name: "a", description: "b" } });
  expect(named).toMatchObject({ asked: { format: json, field: "responseFormat.schema" }, warnings: [] });
  const wrong = { responseFormat: { type: "json", schema }, stopSequences: ["a"] };
  expect(refusal(() => sdk(wrong)).parameter).toBe("stopSequences");
});

/** As the engine refuses a format. */
const refused = (parameter: string, detail: string, path = "") =>
  Object.assign(unsupported(parameter, `${parameter}: $${path}: ${detail}`), { detail, path });

describe("errors of the engine", () => {
  const asked: AskedFormat = { format: { type: "json" }, field: "a.schema" };
  test.each([
    [refused("format.schema", "no.", ".properties.b"), "a.schema.properties.b", "no."],
    [refused("format.schema", "no.", '["b: c"][1]'), 'a.schema["b: c"][1]', "no."],
    [refused("format.schema", "no."), "a.schema", "no."],
    [refused("format.pattern", "at 3: no."), "a.schema", "at 3: no."],
    [outOfRange("format.choices", "expected more."), "a.schema", "expected more."],
    [wrongType("format", "expected less."), "a.schema", "expected less."],
  ])("%s names the request's field", (error, parameter, rest) => {
    const renamed = inRequest(error, asked);
    expect(renamed).toMatchObject({ parameter, message: `${parameter}: ${rest}`, code: error.code });
    expect(renamed).toBeInstanceOf(error.code === "out-of-range" ? RangeError : TypeError);
  });

  test("about other things stay as they are", () => {
    const error = wrongType("formation", "expected less.");
    expect(inRequest(error, asked)).toBe(error);
    expect(inRequest(outOfRange("format", "no."), undefined)).toMatchObject({ parameter: "format" });
  });

  test("reach the caller of the library by the request's field", async () => {
    const { model } = fakeModel({
      before: () => {
        throw refused("format.pattern", "at 3: no.");
      },
    });
    const { completions } = openai(model).chat;
    await expect(completions.create({ messages, guided_regex: "(?=a)" })).rejects.toMatchObject({
      message: "guided_regex: at 3: no.",
    });
  });
});
