// A model that thinks, in every shape of an answer. The embedded model's full stop is made its closing tag,
// and its chat template opens the tag.
import { generateText, streamText } from "ai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sirocco } from "../../engine/ai-sdk.ts";
import { type ChatCompletionChunk, loadModel, type Model } from "../../engine/node.ts";
import { Ai } from "../../engine/workers-ai.ts";
import { folderSource } from "../../weights/node.ts";
import { readBytes } from "../../weights/read-file.ts";

const PROMPT = "Tell me a story about a dog.";
const MESSAGES = [{ role: "user", content: PROMPT }] as const;
const CLOSE = "</think>";
const LENGTH = 60;

const folder = folderSource("weights/tiny-mistral");

async function thinkingModel(): Promise<Model> {
  const read = async (file: string) => JSON.parse(new TextDecoder().decode(await readBytes(folder, file)));
  const tokenizer = await read("tokenizer.json");
  const config = await read("tokenizer_config.json");
  const ids = [2047, tokenizer.model.vocab["."]];
  const tags = ["<think>", CLOSE].map((content, i) => ({ id: ids[i], content, special: false }));
  tokenizer.added_tokens.push(...tags.map((tag) => ({ ...tag, normalized: false })));
  config.chat_template += "{% if add_generation_prompt %}<think>{% endif %}";
  const changed = new Map(
    Object.entries({ "tokenizer.json": tokenizer, "tokenizer_config.json": config }).map(([name, json]) => [
      name,
      new TextEncoder().encode(JSON.stringify(json)),
    ]),
  );
  return loadModel({
    ...folder,
    size: async (file) => changed.get(file)?.length ?? folder.size(file),
    read: async (file, start = 0, end) =>
      changed.get(file)?.slice(start, end) ?? folder.read(file, start, end),
  });
}

let model: Model;
let reasoning: string;
let text: string;
/** Tokens of the thought and its closing tag. */
let thought: number;
beforeAll(async () => {
  model = await thinkingModel();
  let whole = "";
  let ids: number[] = [];
  const options = { maxTokens: LENGTH, standalone: true };
  for await (const chunk of model.generate(await model.encodeChat(MESSAGES), {
    temperature: 0,
    ...options,
  })) {
    whole += chunk.text;
    ids = [...ids, ...chunk.ids];
  }
  const at = whole.indexOf(CLOSE);
  reasoning = whole.slice(0, at).trim();
  text = whole.slice(at + CLOSE.length).trimStart();
  thought = ids.indexOf((await model.encode(CLOSE)).at(-1)!) + 1;
  expect(Math.min(at, reasoning.length, text.length, thought)).toBeGreaterThan(3);
});
afterAll(() => model.dispose());

test("chat", async () => {
  const parts = { reasoning: "", text: "" };
  for await (const chunk of model.chat(MESSAGES, { temperature: 0, maxTokens: LENGTH })) {
    parts.reasoning += chunk.reasoning ?? "";
    parts.text += chunk.text;
    if (chunk.finish)
      expect(chunk.finish).toMatchObject({ completionTokens: LENGTH, reasoningTokens: thought });
  }
  expect(parts).toEqual({ reasoning, text });
});

test("an answer of a format comes after the same thought", async () => {
  const parts = { reasoning: "", text: "" };
  const format = { type: "choice", choices: [" yes.", "No."] } as const;
  for await (const chunk of model.chat(MESSAGES, { temperature: 0, maxTokens: LENGTH, format })) {
    parts.reasoning += chunk.reasoning ?? "";
    parts.text += chunk.text;
    if (chunk.finish) expect(chunk.finish).toMatchObject({ reason: "stop", reasoningTokens: thought });
  }
  expect(parts.reasoning).toBe(reasoning);
  expect(format.choices).toContain(parts.text);
});

test("OpenAI's shape, whole and streamed", async () => {
  const params = { messages: MESSAGES, temperature: 0, max_tokens: LENGTH };
  const { choices, usage } = await model.openai.chat.completions.create(params);
  expect(choices[0]!.message).toMatchObject({ content: text, reasoning_content: reasoning });
  expect(usage.completion_tokens_details).toEqual({ reasoning_tokens: thought });
  const deltas: ChatCompletionChunk["choices"][number]["delta"][] = [];
  for await (const chunk of await model.openai.chat.completions.create({ ...params, stream: true }))
    deltas.push(...chunk.choices.map(({ delta }) => delta));
  expect(deltas.map((delta) => delta.reasoning_content ?? "").join("")).toBe(reasoning);
  expect(deltas.map((delta) => delta.content ?? "").join("")).toBe(text);
  expect(deltas[0]).toEqual({ role: "assistant", content: "" });
  const kinds = deltas.slice(1, -1).map((delta) => "reasoning_content" in delta);
  expect(kinds.lastIndexOf(true)).toBeLessThan(kinds.indexOf(false));
});

test("Workers AI's shape", async () => {
  const input = { prompt: PROMPT, temperature: 0, max_tokens: LENGTH } as const;
  const answer = await new Ai(model).run("any", input);
  expect(answer).toMatchObject({ response: text, reasoning_content: reasoning });
  const stream = await new Ai(model).run("any", { ...input, stream: true });
  const events = (await new Response(stream).text()).split("\n\n").filter((line) => /^data: \{/.test(line));
  const parsed = events.map((line) => JSON.parse(line.slice(6)) as { response: string });
  expect(parsed.map(({ response }) => response).join("")).toBe(text);
});

test("the AI SDK's parts, and its next turn", async () => {
  const call = { model: sirocco(model), temperature: 0, maxOutputTokens: LENGTH };
  const result = await generateText({ ...call, prompt: PROMPT });
  expect([result.reasoningText, result.text]).toEqual([reasoning, text]);
  expect(result.usage).toMatchObject({
    outputTokenDetails: { reasoningTokens: thought, textTokens: LENGTH - thought },
  });
  const streamed = streamText({ ...call, prompt: PROMPT });
  expect([await streamed.reasoningText, await streamed.text]).toEqual([reasoning, text]);
  const messages = [
    ...[...MESSAGES, ...result.response.messages],
    { role: "user" as const, content: "And then?" },
  ];
  const next = await generateText({ ...call, messages, maxOutputTokens: 1 });
  // The template does not ask for thoughts.
  const plain = [...MESSAGES, { role: "assistant", content: text }, messages.at(-1)] as never;
  expect(next.usage.inputTokens).toBe((await model.encodeChat(plain)).length);
});
