// OpenAI's calls give what `chat` gives, in OpenAI's shapes, and refuse options that they do not support.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ChatCompletionChunk,
  type ChatCompletionCreateParams,
  type Chunk,
  type GenerateOptions,
  loadModel,
  type Model,
} from "../../engine/node.ts";

const MESSAGES = [{ role: "user", content: "Tell me a story about a dog." }] as const;
const GREEDY = { messages: MESSAGES, temperature: 0, max_tokens: 12 } as const;

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.dispose());

const completions = () => model.openai.chat.completions;

async function chat(options: GenerateOptions) {
  const chunks: Chunk[] = [];
  for await (const chunk of model.chat(MESSAGES, { temperature: 0, ...options })) chunks.push(chunk);
  const finish = chunks.at(-1)?.finish;
  return { text: chunks.map(({ text }) => text).join(""), ids: chunks.flatMap(({ ids }) => ids), finish };
}

async function collect(params: Omit<ChatCompletionCreateParams, "stream">) {
  const chunks: ChatCompletionChunk[] = [];
  for await (const chunk of await completions().create({ ...params, stream: true })) chunks.push(chunk);
  return chunks;
}

const textOf = (chunks: ChatCompletionChunk[], index = 0) =>
  chunks
    .flatMap(({ choices }) => choices)
    .filter((choice) => choice.index === index)
    .map(({ delta }) => delta.content ?? "")
    .join("");

describe("chat.completions.create", () => {
  test("is the answer of chat, with reason and usage", async () => {
    const { text, finish } = await chat({ maxTokens: 12 });
    const completion = await completions().create({ ...GREEDY, model: "any-name" });
    expect(completion).toEqual({
      id: expect.stringMatching(/^chatcmpl-[0-9a-f]{32}$/),
      object: "chat.completion",
      created: expect.any(Number),
      model: "any-name",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: text, refusal: null },
          logprobs: null,
          finish_reason: "length",
        },
      ],
      usage: {
        prompt_tokens: finish?.promptTokens,
        completion_tokens: 12,
        total_tokens: (finish?.promptTokens ?? NaN) + 12,
        prompt_tokens_details: { cached_tokens: expect.any(Number) },
      },
    });
    expect(Math.abs(completion.created - Date.now() / 1000)).toBeLessThan(60);
  });

  test("a stream's pieces make the same answer, and its last chunk has the usage", async () => {
    const whole = await completions().create(GREEDY);
    const chunks = await collect({ ...GREEDY, stream_options: { include_usage: true } });
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: "assistant", content: "" });
    expect(textOf(chunks)).toBe(whole.choices[0]?.message.content);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
    expect(chunks.at(-2)?.choices).toEqual([
      { index: 0, delta: {}, logprobs: null, finish_reason: "length" },
    ]);
    const { prompt_tokens, completion_tokens, total_tokens } = whole.usage;
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens, completion_tokens, total_tokens },
    });
    expect((await collect({ ...GREEDY, max_tokens: 2 })).some((chunk) => "usage" in chunk)).toBe(false);
  });

  test("stop, roles and parts as in OpenAI's API; an answer can be sent back unchanged", async () => {
    const { text } = await chat({ maxTokens: 12 });
    const stopped = await completions().create({ ...GREEDY, stop: text.slice(5, 9) });
    const [choice] = stopped.choices;
    expect(choice).toMatchObject({
      message: { content: text.slice(0, text.indexOf(text.slice(5, 9))) },
      finish_reason: "stop",
    });
    const ask = async (messages: ChatCompletionCreateParams["messages"]) =>
      (await completions().create({ messages, temperature: 0, max_completion_tokens: 8 })).choices[0]?.message
        .content;
    const again = { role: "user", content: "Go on." } as const;
    const plain = await ask([...MESSAGES, { role: "assistant", content: text }, again]);
    const parts = [
      { type: "text", text: "Tell me a story " },
      { type: "text", text: "about a dog." },
    ] as const;
    const kept = { role: "assistant", content: text, refusal: null, tool_calls: [] } as const;
    expect(await ask([{ role: "user", content: parts }, kept, again])).toBe(plain);
    expect(await ask([{ role: "developer", content: "Be brief." }, ...MESSAGES])).toBe(
      await ask([{ role: "system", content: "Be brief." }, ...MESSAGES]),
    );
  });

  test("n answers, answer i as with seed + i, whole and streamed", async () => {
    const params = { messages: MESSAGES, seed: 11, n: 2, max_tokens: 8 };
    const alone = [
      await chat({ maxTokens: 8, temperature: 1, topP: 1, seed: 11 }),
      await chat({ maxTokens: 8, temperature: 1, topP: 1, seed: 12 }),
    ];
    const { choices, usage } = await completions().create(params);
    expect(choices.map(({ index, message }) => [index, message.content])).toEqual(
      alone.map(({ text }, i) => [i, text]),
    );
    expect(alone[0]?.text).not.toBe(alone[1]?.text);
    expect(usage.completion_tokens).toBe(
      alone.reduce((sum, { finish }) => sum + (finish?.completionTokens ?? NaN), 0),
    );
    expect(usage.prompt_tokens).toBe(alone[0]?.finish?.promptTokens);
    const chunks = await collect(params);
    expect([textOf(chunks, 0), textOf(chunks, 1)]).toEqual(alone.map(({ text }) => text));
  });

  test("options beyond OpenAI's: top_k of 1 gives the likeliest token", async () => {
    const greedy = await completions().create({ ...GREEDY, max_tokens: 4 });
    const likeliest = await completions().create({
      messages: MESSAGES,
      max_tokens: 4,
      temperature: 2,
      top_k: 1,
    });
    expect(likeliest.choices).toEqual(greedy.choices);
  });

  test("logprobs: whole and streamed alike, and the alternatives beside them", async () => {
    const params = { ...GREEDY, max_tokens: 6, logprobs: true, top_logprobs: 2 };
    const [choice] = (await completions().create(params)).choices;
    const tokens = choice?.logprobs?.content ?? [];
    expect(tokens.length).toBe(6);
    // Greedy: every token is the likeliest itself.
    expect(tokens.map(({ top_logprobs: top }) => top[0]?.token)).toEqual(tokens.map(({ token }) => token));
    expect(tokens.every(({ top_logprobs: top }) => top.length === 2)).toBe(true);
    const bytes = Uint8Array.from(tokens.flatMap((token) => token.bytes ?? []));
    expect(new TextDecoder().decode(bytes)).toBe(choice?.message.content);
    expect(tokens.map(({ token }) => token).join("")).toBe(choice?.message.content);
    const streamed = (await collect(params))
      .flatMap(({ choices }) => choices)
      .flatMap(({ logprobs }) => logprobs?.content ?? []);
    expect(streamed.map(({ token }) => token)).toEqual(tokens.map(({ token }) => token));
    streamed.forEach(({ logprob }, i) => {
      expect(logprob).toBeCloseTo(tokens[i]?.logprob ?? NaN, 3);
      expect(logprob).toBeLessThanOrEqual(0);
    });
  });

  test("its signal throws; break frees the model", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(completions().create(GREEDY, { signal })).rejects.toThrow("enough");
    const controller = new AbortController();
    const stream = await completions().create(
      { messages: MESSAGES, stream: true, max_tokens: 200 },
      { signal: controller.signal },
    );
    const read = async () => {
      for await (const _ of stream) controller.abort(new Error("enough"));
    };
    await expect(read()).rejects.toThrow("enough");
    for await (const _ of await completions().create({ ...GREEDY, stream: true })) break;
    expect((await chat({ maxTokens: 1 })).ids.length).toBe(1);
  });

  test("unsupported options are refused by name, and null is ignored", async () => {
    const bad: [Record<string, unknown>, RegExp][] = [
      [{ tools: [{ type: "function" }] }, /^tools\[0\].function: expected/],
      [
        { tools: [{ type: "function", function: { name: "f" } }] },
        /^tools: expected none for this model, whose chat template knows no tools/,
      ],
      [{ response_format: { type: "json" } }, /^response_format.type: expected text, json_object/],
      [{ max_tokenz: 3 }, /^max_tokenz: expected none/],
      [{ reasoning_effort: "low" }, /^reasoning_effort: expected none/],
      [{ max_tokens: 3, max_completion_tokens: 3 }, /max_tokens: expected it or max_completion_tokens/],
      [{ top_logprobs: 2 }, /top_logprobs: expected logprobs: true/],
      [{ logprobs: true, top_logprobs: 21 }, /^top_logprobs: expected .* got 21/],
      [{ n: 0 }, /n: expected a whole number from 1 to 128, got 0/],
      [{ temperature: "hot" }, /temperature: expected a number from 0 to 2, got "hot"/],
      [{ stream_options: { include_usage: true } }, /stream_options: expected stream: true/],
      [{ messages: [{ role: "function", content: "x" }] }, /messages\[0\].role: expected .* got "function"/],
      [
        { messages: [{ role: "user", content: [{ type: "image_url" }] }] },
        /content\[0\]: .* got "image_url"/,
      ],
      [
        { messages: [{ role: "user", tool_call_id: "1", content: "x" }] },
        /^messages\[0\].tool_call_id: expected none/,
      ],
    ];
    const create = (params: Record<string, unknown>) =>
      completions().create({ messages: MESSAGES, max_completion_tokens: 1, ...params });
    for (const [params, message] of bad) {
      const only = "max_tokens" in params ? params : { max_completion_tokens: 1, ...params };
      await expect(create(only), JSON.stringify(params)).rejects.toThrow(message);
    }
    const nothing = { tools: null, stop: null, n: null, seed: null, logprobs: null, functions: undefined };
    expect((await create({ ...nothing, user: "u-1" })).choices.length).toBe(1);
  });
});
