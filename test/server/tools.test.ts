// Calls of tools, as the real clients ask for them. The small model is made to call: it would not by itself.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ChatOpenAI } from "@langchain/openai";
import { generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sirocco } from "../../engine/ai-sdk.ts";
import { type ChatOptions, type Chunk, loadModel, type Message, type Model } from "../../engine/node.ts";
import { Ai } from "../../engine/workers-ai.ts";
import { createService, type Listening, listen } from "../../server/index.ts";
import { readTemplate } from "../tokenizer/fixtures.ts";

const parameters = {
  type: "object",
  properties: { color: { enum: ["red", "blue"] }, count: { type: "integer", minimum: 0, maximum: 9 } },
  required: ["color", "count"],
  additionalProperties: false,
};
const paint = { name: "paint", description: "Paints balls.", parameters };
const stop = { name: "stop", parameters: { type: "object", properties: {} } };
const tools = [paint, stop].map((each) => ({ type: "function" as const, function: each }));
const ask = [{ role: "user" as const, content: "Paint a ball." }];
const settings = { model: "tiny", temperature: 0, max_tokens: 90 };

const folder = mkdtempSync(join(tmpdir(), "sirocco-tools-"));
let model: Model;
let plain: Model;
let server: Listening;
let client: OpenAI;

beforeAll(async () => {
  cpSync("weights/tiny-mistral", folder, { recursive: true });
  writeFileSync(join(folder, "chat_template.jinja"), readTemplate("qwen3"));
  [model, plain] = [await loadModel(folder), await loadModel()];
  server = await listen(createService(model, { name: "tiny", parallel: 4 }), { host: "127.0.0.1", port: 0 });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
});
afterAll(async () => {
  await server.close({ drainMs: 0 });
  for (const each of [model, plain]) each.dispose();
  rmSync(folder, { recursive: true });
});

async function chat(messages: readonly Message[], options: ChatOptions, from = model) {
  const chunks: Chunk[] = [];
  for await (const chunk of from.chat(messages, { temperature: 0, ...options })) chunks.push(chunk);
  return { chunks, finish: chunks.at(-1)?.finish, text: chunks.map(({ text }) => text).join("") };
}
const argumentsOf = (chunks: readonly Chunk[]) =>
  chunks.flatMap(({ toolCalls = [] }) => toolCalls.map((call) => call.arguments)).join("");

describe("the library", () => {
  test("a named tool is called with valid arguments; the same seed gives the same call", async () => {
    const options: ChatOptions = {
      tools: [paint, stop],
      toolChoice: { name: "paint" },
      seed: 3,
      temperature: 1,
    };
    const { chunks, finish, text } = await chat(ask, options);
    expect(text).toBe("");
    expect(finish?.reason).toBe("tool-calls");
    expect(JSON.parse(argumentsOf(chunks))).toEqual({
      color: expect.stringMatching(/^(red|blue)$/),
      count: expect.any(Number),
    });
    expect((await chat(ask, options)).chunks.map((each) => each.ids)).toEqual(chunks.map((each) => each.ids));
  });

  test("with auto, the model answers as it would without a constraint", async () => {
    const shown = await model.encodeChat(ask, { tools: [paint] });
    const { chunks, finish } = await chat(ask, { tools: [paint], maxTokens: 12 });
    expect(finish?.promptTokens).toBe(shown.length);
    const free: number[] = [];
    for await (const { ids } of model.generate(shown, { temperature: 0, maxTokens: 12, standalone: true }))
      free.push(...ids);
    expect(chunks.flatMap(({ ids }) => ids)).toEqual(free);
  });

  test("with none, no tool is shown; an answer that is cut off has the reason length", async () => {
    const bare = await model.encodeChat(ask);
    expect(await model.encodeChat(ask, { tools: [paint], toolChoice: "none" })).toEqual(bare);
    const cut = await chat(ask, { tools: [paint], toolChoice: "required", maxTokens: 20 });
    expect(cut.finish?.reason).toBe("length");
  });

  test("what cannot be done is refused by name, before the first token", async () => {
    const twice = { tools: [paint, paint] };
    const cases: [ChatOptions, string][] = [
      [twice, "tools[1].name"],
      [{ tools: [{ name: "a b" }] }, "tools[0].name"],
      [{ tools: [paint], toolChoice: { name: "other" } }, "toolChoice.name"],
      [{ toolChoice: "required" }, "toolChoice"],
      [{ tools: [paint], format: { type: "json" } }, "format"],
      [{ tools: [paint], ignoreEos: true }, "ignoreEos"],
      [{ tools: [{ ...paint, parameters: { unevaluatedItems: false } }] }, "tools[0].parameters"],
    ];
    for (const [options, parameter] of cases)
      await expect(chat(ask, options), parameter).rejects.toMatchObject({ parameter });
    await expect(chat(ask, { tools: [paint] }, plain)).rejects.toThrow("whose chat template knows no tools");
  });
});

describe("openai", () => {
  test("streams a call, and answers its result in a second turn", async () => {
    const stream = client.chat.completions.stream({
      ...settings,
      messages: ask,
      tools,
      tool_choice: "required",
      parallel_tool_calls: false,
    });
    const deltas: OpenAI.ChatCompletionChunk.Choice.Delta.ToolCall[] = [];
    for await (const { choices } of stream) deltas.push(...(choices[0]?.delta.tool_calls ?? []));
    expect(deltas[0]).toEqual({
      index: 0,
      id: expect.any(String),
      type: "function",
      function: { name: expect.any(String), arguments: "" },
    });
    for (const delta of deltas.slice(1)) expect(Object.keys(delta)).toEqual(["index", "function"]);
    const { choices } = await stream.finalChatCompletion();
    expect(choices[0]).toMatchObject({ finish_reason: "tool_calls", message: { content: null } });
    const message = choices[0]!.message;
    const call = message.tool_calls![0]! as OpenAI.ChatCompletionMessageFunctionToolCall;
    expect(JSON.parse(call.function.arguments)).toBeTypeOf("object");
    const second = await client.chat.completions.create({
      ...settings,
      messages: [...ask, message, { role: "tool", tool_call_id: call.id, content: "Done." }],
      tools,
      max_tokens: 5,
    });
    expect(second.usage!.prompt_tokens).toBeGreaterThan(choices.length);
    expect(second.choices[0]?.finish_reason).toBe("length");
  });

  test("a forced function ends with stop; errors name the field", async () => {
    const named = { type: "function" as const, function: { name: "paint" } };
    const { choices } = await client.chat.completions.create({
      ...settings,
      messages: ask,
      tools,
      tool_choice: named,
    });
    expect(choices[0]).toMatchObject({ finish_reason: "stop", message: { content: null } });
    const wrong = client.chat.completions.create({ ...settings, messages: ask, tool_choice: "required" });
    await expect(wrong).rejects.toMatchObject({ status: 400, param: "tool_choice" });
    const schema = { type: "object", properties: { a: { unevaluatedItems: false } } };
    const refused = client.chat.completions.create({
      ...settings,
      messages: ask,
      tools: [tools[0]!, { type: "function", function: { name: "other", parameters: schema } }],
    });
    const param = "tools[1].function.parameters";
    await expect(refused).rejects.toMatchObject({ status: 400, param });
    await expect(refused).rejects.toThrow(`${param}: $.properties.a.unevaluatedItems: `);
    const misnamed = { type: "function" as const, function: { name: "é" } };
    const wrongName = client.chat.completions.create({ ...settings, messages: ask, tools: [misnamed] });
    await expect(wrongName).rejects.toMatchObject({ status: 400, param: "tools[0].function.name" });
  });
});

test("LangChain: bindTools", async () => {
  const chatModel = new ChatOpenAI({
    ...{ model: "tiny", apiKey: "none", temperature: 0, maxTokens: 90, maxRetries: 0 },
    configuration: { baseURL: `${server.url}/v1` },
  });
  const answer = await chatModel.bindTools(tools, { tool_choice: "paint" }).invoke("Paint a ball.");
  expect(answer.tool_calls).toMatchObject([{ name: "paint", args: { count: expect.any(Number) } }]);
});

describe("AI SDK", () => {
  const painted: unknown[] = [];
  const own = {
    paint: tool({
      description: "Paints balls.",
      inputSchema: jsonSchema<{ color: string; count: number }>(parameters as never),
      execute: (input) => {
        painted.push(input);
        return { painted: input.count };
      },
    }),
  };

  test("generateText calls a tool and goes on with its result", async () => {
    const { steps } = await generateText({
      ...{ model: sirocco(model), prompt: "Paint a ball.", tools: own, temperature: 0, maxOutputTokens: 150 },
      toolChoice: { type: "tool", toolName: "paint" },
      stopWhen: stepCountIs(2),
    });
    expect(steps.map(({ finishReason }) => finishReason)).toEqual(["tool-calls", "tool-calls"]);
    expect(painted).toHaveLength(2);
    expect(steps[1]?.usage.inputTokens).toBeGreaterThan(steps[0]?.usage.inputTokens ?? 0);
  });

  test("streamText streams the input of a tool", async () => {
    const types: string[] = [];
    const { fullStream } = streamText({
      ...{
        model: sirocco(model),
        prompt: "Paint.",
        tools: own,
        toolChoice: "required",
        maxOutputTokens: 250,
      },
    });
    for await (const { type } of fullStream) if (types.at(-1) !== type) types.push(type);
    const at = types.indexOf("tool-input-start");
    expect(types.slice(at, at + 4)).toEqual([
      ...["tool-input-start", "tool-input-delta", "tool-input-end", "tool-call"],
    ]);
  });
});

test("Workers AI: both shapes of tools, and arguments as an object", async () => {
  const ai = new Ai(model);
  for (const shape of [[paint], [tools[0]!]]) {
    const input = { messages: ask, tools: shape, tool_choice: "required", parallel_tool_calls: false };
    const { response, tool_calls } = await ai.run("tiny", { ...input, max_tokens: 90, temperature: 0 });
    expect([response, tool_calls]).toEqual([
      "",
      [{ name: "paint", arguments: { color: expect.any(String), count: expect.any(Number) } }],
    ]);
    const messages = [
      ...ask,
      { role: "assistant", content: "", tool_calls: tool_calls! },
      { role: "tool", name: "paint", content: "Done." },
    ];
    expect(
      (await ai.run("tiny", { messages, tools: shape, max_tokens: 3 })).usage.prompt_tokens,
    ).toBeGreaterThan(9);
  }
});
