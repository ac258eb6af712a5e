// Answers in JSON and other formats, as the real clients ask for them.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { ChatOpenAI } from "@langchain/openai";
import { generateObject, generateText, Output, streamObject } from "ai";
import OpenAI from "openai";
import { LengthFinishReasonError } from "openai/core/error";
import { zodResponseFormat } from "openai/helpers/zod";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { sirocco } from "../../engine/ai-sdk.ts";
import { loadModel, type Model } from "../../engine/node.ts";
import { Ai } from "../../engine/workers-ai.ts";
import { createService, type Listening, listen } from "../../server/index.ts";

const MODEL = "tiny-mistral";
const PROMPT = "Rex is an old dog.";
const messages = [{ role: "user" as const, content: PROMPT }];
const Pet = z.object({ animal: z.enum(["dog", "cat"]), age: z.number().int().min(0).max(30) });
const pet = {
  type: "object",
  properties: { animal: { enum: ["dog", "cat"] }, age: { type: "integer", minimum: 0, maximum: 30 } },
  required: ["animal", "age"],
  additionalProperties: false,
};
/** Refused by every format, as no text is held to it. */
const wrong = { type: "object", properties: { a: { unevaluatedProperties: false } } };
const ask = { model: MODEL, messages, temperature: 0, max_tokens: 60 };

let model: Model;
let server: Listening;
let client: OpenAI;

beforeAll(async () => {
  model = await loadModel();
  server = await listen(createService(model, { name: MODEL, parallel: 4 }), { host: "127.0.0.1", port: 0 });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
});
afterAll(async () => {
  await server.close({ drainMs: 0 });
  model.dispose();
});

const create = async (body: object): Promise<OpenAI.ChatCompletion> =>
  client.chat.completions.create({ ...ask, ...body } as OpenAI.ChatCompletionCreateParamsNonStreaming);

describe("openai", () => {
  test("parses what zodResponseFormat asks for, whole and streamed", async () => {
    const response_format = zodResponseFormat(Pet, "pet");
    const { choices } = await client.chat.completions.parse({ ...ask, response_format });
    expect(choices[0]).toMatchObject({ finish_reason: "stop", message: { refusal: null } });
    expect(Pet.safeParse(choices[0]?.message.parsed).success).toBe(true);
    const stream = client.chat.completions.stream({ ...ask, response_format });
    let text = "";
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
    expect(text).toBe(choices[0]?.message.content);
    expect((await stream.finalChatCompletion()).choices[0]?.message.parsed).toEqual(JSON.parse(text));
  });

  test("a grammar that can be read in ever more ways is the request's fault, also when the answer shows it", async () => {
    const grammar = 'root ::= s*\ns ::= "a" s? s? s?';
    const [id = 0] = (await model.encode("a")).slice(-1);
    const refused = create({ guided_grammar: grammar, logit_bias: { [id]: 100 } });
    await expect(refused).rejects.toMatchObject({ status: 400, param: "format", code: "invalid_value" });
  });

  test("n answers, each valid; one that is cut off says so", async () => {
    const response_format = { type: "json_schema", json_schema: { name: "pet", strict: true, schema: pet } };
    const { choices } = await create({ response_format, n: 2, temperature: 1, seed: 3 });
    for (const { message } of choices) expect(Pet.parse(JSON.parse(message.content ?? ""))).toBeDefined();
    const cut = await create({ response_format, max_tokens: 3 });
    expect(cut.choices[0]).toMatchObject({ finish_reason: "length", message: { refusal: null } });
    await expect(
      client.chat.completions.parse({
        ...ask,
        max_tokens: 3,
        response_format: zodResponseFormat(Pet, "pet"),
      }),
    ).rejects.toThrow(LengthFinishReasonError);
  });

  test("the fields of vLLM and llama.cpp; a message that is continued", async () => {
    const say = async (body: object) => (await create(body)).choices[0]?.message.content ?? "";
    expect(["yes", "no"]).toContain(await say({ guided_choice: ["yes", "no"] }));
    expect(await say({ structured_outputs: { regex: "[A-C]{2}-\\d{3}" } })).toMatch(/^[A-C]{2}-\d{3}$/);
    expect(Pet.parse(JSON.parse(await say({ json_schema: pet })))).toBeDefined();
    const begun = [...messages, { role: "assistant", content: "It is a" }];
    const continued = { messages: begun, continue_final_message: true, guided_choice: [" dog", " cat"] };
    expect([" dog", " cat"]).toContain(await say(continued));
  });

  test("text completions", async () => {
    const prompt = { model: MODEL, prompt: PROMPT, max_tokens: 60, temperature: 0 };
    const whole = await client.completions.create({ ...prompt, guided_json: pet } as never);
    expect(Pet.parse(JSON.parse(whole.choices[0]?.text ?? ""))).toBeDefined();
    const lettered = { ...prompt, n: 2, temperature: 1, guided_regex: "[a-f]{4}" } as never;
    for (const { text } of (await client.completions.create(lettered)).choices)
      expect(text).toMatch(/^[a-f]{4}$/);
  });

  test("a schema that cannot be held to is refused by its place, before a stream begins", async () => {
    const json_schema = { name: "a", schema: wrong };
    for (const stream of [false, true]) {
      const error = await create({ response_format: { type: "json_schema", json_schema }, stream }).then(
        () => expect.fail("it was accepted"),
        (error: InstanceType<typeof OpenAI.APIError>) => error,
      );
      expect(error).toMatchObject({ status: 400, type: "invalid_request_error" });
      expect(error.param).toMatch(/^response_format\.json_schema\.schema/);
      expect(error.message).toContain("unevaluatedProperties");
    }
  });

  test("the same in the library", async () => {
    const { choices } = await model.openai.chat.completions.create({
      messages,
      guided_choice: ["yes", "no"],
    });
    expect(["yes", "no"]).toContain(choices[0]?.message.content);
    const refused = model.openai.chat.completions.create({ messages, guided_json: wrong });
    await expect(refused).rejects.toThrow(/^guided_json.*unevaluatedProperties/);
  });
});

describe("Workers AI", () => {
  test.each([
    ["over HTTP", () => new Ai({ baseURL: `${server.url}/client/v4` })],
    ["in the library", () => new Ai(model)],
  ])("%s", async (_, newAi) => {
    const ai = newAi();
    const response_format = { type: "json_schema", json_schema: pet } as const;
    const { response, usage } = await ai.run(MODEL, { prompt: PROMPT, response_format });
    expect(Pet.parse(response)).toBeDefined();
    expect(usage.completion_tokens).toBeGreaterThan(3);
    await expect(ai.run(MODEL, { prompt: PROMPT, response_format, max_tokens: 3 })).rejects.toMatchObject({
      message: "5024: JSON Mode couldn't be met",
      status: 400,
    });
    const refused = { type: "json_schema", json_schema: wrong } as const;
    await expect(ai.run(MODEL, { prompt: PROMPT, response_format: refused })).rejects.toThrow(
      /^5006: response_format.json_schema.*unevaluatedProperties/,
    );
  });
});

describe("AI SDK", () => {
  test("generateObject, streamObject and Output.object", async () => {
    const asked = { model: sirocco(model), prompt: PROMPT, maxOutputTokens: 60, temperature: 0 };
    const { object, warnings } = await generateObject({ ...asked, schema: Pet });
    expect(Pet.parse(object)).toBeDefined();
    expect(warnings ?? []).toEqual([]);
    const stream = streamObject({ ...asked, schema: Pet });
    const partial: unknown[] = [];
    for await (const part of stream.partialObjectStream) partial.push(part);
    expect(partial.length).toBeGreaterThan(1);
    expect(await stream.object).toEqual(object);
    const { output } = await generateText({ ...asked, output: Output.object({ schema: Pet }) });
    expect(output).toEqual(object);
    const choice = await generateObject({ ...asked, output: "enum", enum: ["dog", "cat"] });
    expect(["dog", "cat"]).toContain(choice.object);
  });

  test("through a provider of OpenAI's shapes", async () => {
    const provider = createOpenAICompatible({
      ...{ name: "local", baseURL: `${server.url}/v1`, supportsStructuredOutputs: true },
    });
    const { object } = await generateObject({ model: provider(MODEL), prompt: PROMPT, schema: Pet });
    expect(Pet.parse(object)).toBeDefined();
  });
});

test("LangChain's withStructuredOutput", async () => {
  const chat = new ChatOpenAI({
    ...{ model: MODEL, apiKey: "none", maxTokens: 60, temperature: 0, maxRetries: 0 },
    configuration: { baseURL: `${server.url}/v1` },
  });
  const structured = chat.withStructuredOutput(Pet, { name: "pet", method: "jsonSchema" });
  expect(Pet.parse(await structured.invoke(PROMPT))).toBeDefined();
});
