// Request bodies: wrong names and values are refused by name, in OpenAI's shape.
import { describe, expect, test } from "vitest";
import { fakeModel } from "../fake-model.ts";
import { HELLO, serving, until } from "./serving.ts";

const CHAT = "/v1/chat/completions";
const TEXT = "/v1/completions";
const WORKERS_AI = "/client/v4/accounts/a/ai/run/paper";

async function refusal(answer: Response) {
  const { error } = (await answer.json()) as { error: Record<string, unknown> };
  return { status: answer.status, ...error };
}

describe("an invalid request", () => {
  test("is refused before it reaches the model", async () => {
    const { model, calls } = fakeModel();
    const { post, get, service } = await serving(model);
    const nested = `${"[".repeat(service.limits.jsonDepth + 1)}${"]".repeat(service.limits.jsonDepth + 1)}`;
    const wide = JSON.stringify(
      Object.fromEntries(Array.from({ length: 40_000 }, (_, i) => [`k${i}`, null])),
    );
    const cases: [path: string, body: unknown, status: number, param: string | null, says: RegExp][] = [
      [CHAT, "{", 400, null, /JSON/],
      [CHAT, "", 400, null, /JSON/],
      [CHAT, Uint8Array.of(0x22, 0xff, 0x22), 400, null, /UTF-8/],
      [CHAT, nested, 400, null, /nested/],
      [CHAT, wide, 400, null, /at most 32768 fields in all/],
      [CHAT, `{"a":[${"1,".repeat(2 ** 19)}1]}`, 400, null, /at most 524288 values in all/],
      [CHAT, `{"messages":"${"x".repeat(service.limits.bodyBytes)}"}`, 413, null, /bytes/],
      [CHAT, [], 400, null, /object/],
      [CHAT, {}, 400, "messages", /messages/],
      [CHAT, { messages: [] }, 400, "messages", /1 to/],
      [CHAT, { messages: [{ role: "tool", content: "" }] }, 400, "messages[0].tool_call_id", /id of a call/],
      [
        CHAT,
        { messages: [{ role: "user", content: [{ type: "image_url" }] }] },
        400,
        "messages[0].content[0]",
        /text/,
      ],
      [CHAT, { ...HELLO, model: "gpt-9" }, 404, "model", /paper/],
      [CHAT, { ...HELLO, temperature: -1 }, 400, "temperature", /temperature/],
      [CHAT, { ...HELLO, temperature: "hot" }, 400, "temperature", /temperature/],
      [CHAT, { ...HELLO, stop: [""] }, 400, "stop[0]", /stop/],
      [CHAT, { ...HELLO, n: 0 }, 400, "n", /n:/],
      [CHAT, { ...HELLO, n: 129 }, 400, "n", /1 to 128, got 129/],
      [CHAT, { ...HELLO, top_logprobs: 2 }, 400, "top_logprobs", /logprobs: true/],
      [CHAT, { ...HELLO, logit_bias: { cat: 1 } }, 400, "logit_bias.cat", /logit_bias/],
      [CHAT, { ...HELLO, logit_bias: { 65536: 1 } }, 400, "logit_bias", /0 to 65535, got 65536/],
      [CHAT, { ...HELLO, max_tokens: 1, max_completion_tokens: 1 }, 400, "max_tokens", /both/],
      [CHAT, { ...HELLO, stream_options: { include_usage: true } }, 400, "stream_options", /stream: true/],
      [CHAT, { ...HELLO, max_tokens: 4096 }, 400, "max_tokens", /4096 tokens.* 6 of its prompt and 4096/],
      [TEXT, { prompt: [] }, 400, "prompt", /text, token ids/],
      [TEXT, { prompt: ["a", [1]] }, 400, "prompt", /text, token ids/],
      [TEXT, { prompt: [1, 2 ** 16] }, 400, "prompt", /0 to 65535, got 65536/],
      [TEXT, { prompt: "a".repeat(4096) }, 400, "prompt", /4096 tokens.* 4097 of its prompt/],
      [TEXT, { prompt: "a".repeat(100_000) }, 400, "prompt", /100000 characters/],
      [TEXT, { prompt: "a", logprobs: 6 }, 400, "logprobs", /logprobs/],
      [TEXT, { prompt: "a", best_of: 2 }, 400, "best_of", /n, which is 1/],
      [TEXT, { prompt: "a", messages: [{}] }, 400, "messages", /leave it out/],
      [
        CHAT,
        `{"messages":[{"role":"user","content":"x"}],"__proto__":{"a":1}}`,
        400,
        "__proto__",
        /leave it out/,
      ],
      [TEXT, `{"prompt":"a","__proto__":null}`, 400, "__proto__", /leave it out/],
      ["/v1/tokenize", { prompt: "a" }, 400, "input", /input/],
      ["/v1/detokenize", { tokens: ["a"] }, 400, "tokens", /token ids.* got "a"/],
    ];
    for (const [path, body, status, param, says] of cases) {
      const got = await refusal(await post(path, body));
      const shown = JSON.stringify(body).slice(0, 80);
      expect([shown, got.status, "param" in got && got.param]).toEqual([shown, status, param]);
      expect(String("message" in got && got.message), shown).toMatch(says);
    }
    expect(await refusal(await get("/v1/nothing"))).toMatchObject({ status: 404, code: "unknown_url" });
    expect(await refusal(await post("/v1/embeddings", { input: "a" }))).toMatchObject({ status: 501 });
    expect(calls).toEqual([]);
    expect(service.admission.running + service.admission.waiting).toBe(0);
  });

  test("with an unsupported parameter is refused by its name", async () => {
    const { model, calls } = fakeModel();
    const { post } = await serving(model);
    const unsupported = {
      [CHAT]: {
        ...{ functions: [{}], function_call: { name: "f" } },
        ...{ audio: { voice: "x" }, store: true, modalities: ["audio"] },
        ...{ reasoning_effort: "low", best_of: 2, service_tier: "priority", web_search_options: {} },
      },
      [TEXT]: { suffix: "x", tools: [{}], add_special_tokens: false },
    };
    for (const [path, names] of Object.entries(unsupported)) {
      for (const [name, value] of Object.entries(names)) {
        const body = path === CHAT ? { ...HELLO, [name]: value } : { prompt: "a", [name]: value };
        expect(await refusal(await post(path, body))).toMatchObject({
          ...{ status: 400, code: "unsupported_parameter", param: name, type: "invalid_request_error" },
        });
      }
    }
    const json = { ...HELLO, response_format: { type: "json" } };
    expect(await refusal(await post(CHAT, json))).toMatchObject({
      status: 400,
      param: "response_format.type",
    });
    expect(calls).toEqual([]);
    // Fields that ask for nothing are accepted, as clients send them.
    const silent = {
      ...HELLO,
      tools: null,
      tool_choice: undefined,
      functions: [],
      user: "me",
      response_format: null,
    };
    expect((await post(CHAT, silent)).status).toBe(200);
  });

  test("a body without a length is cut off at the same limit", async () => {
    const { url, service } = await serving(fakeModel().model, { limits: { bodyBytes: 1000 } });
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(400).fill(0x20)),
    });
    const answer = await fetch(url + CHAT, { method: "POST", body, duplex: "half" } as RequestInit);
    expect(await refusal(answer)).toMatchObject({ status: 413, code: "body_too_large" });
    expect(service.limits.heartbeatMs).toBe(15_000);
  });
});

describe("a valid request", () => {
  test("reaches the model with every option", async () => {
    const { model, calls } = fakeModel();
    const { post } = await serving(model, { name: "paper", aliases: ["gpt-4o-mini"] });
    const shared = {
      ...{ temperature: 0.5, top_p: 0.9, top_k: 7, min_p: 0.1, repetition_penalty: 1.1, seed: 5, n: 2 },
      ...{
        frequency_penalty: 0.2,
        presence_penalty: 0.3,
        logit_bias: { 7: -1 },
        stop: ["x"],
        max_tokens: 3,
        user: "me",
      },
    };
    const options = {
      ...{ temperature: 0.5, topP: 0.9, topK: 7, minP: 0.1, repetitionPenalty: 1.1, maxTokens: 3 },
      ...{ frequencyPenalty: 0.2, presencePenalty: 0.3, logitBias: { 7: -1 }, stop: ["x"], topLogProbs: 2 },
    };
    const chat = await post(CHAT, {
      ...HELLO,
      ...shared,
      model: "gpt-4o-mini",
      logprobs: true,
      top_logprobs: 2,
    });
    expect(await chat.json()).toMatchObject({
      model: "gpt-4o-mini",
      choices: [0, 1].map((index) => ({
        index,
        message: { content: "There was a " },
        finish_reason: "length",
      })),
      usage: {
        prompt_tokens: 6,
        completion_tokens: 6,
        total_tokens: 12,
        prompt_tokens_details: { cached_tokens: 1 },
      },
    });
    const text = await post(TEXT, { prompt: "Once", ...shared, logprobs: 2 });
    expect(await text.json()).toMatchObject({
      choices: [{ text: "There was a " }, { text: "There was a " }],
    });
    const asChat = { standalone: true, separateReasoning: true };
    expect(calls.map(({ prompt, options: { signal: _, ...given } }) => ({ prompt, ...given }))).toEqual([
      { prompt: "Hello", ...options, ...asChat, seed: 5 },
      { prompt: "Hello", ...options, ...asChat, seed: 6 },
      { prompt: "Once", ...options, seed: 5 },
      { prompt: "Once", ...options, seed: 6 },
    ]);
  });

  test("text completions: prompts of both kinds, echo, offsets, OpenAI's 16 tokens", async () => {
    const { model, calls } = fakeModel({ pieces: [" was", " a"] });
    const { post, log } = await serving(model);
    const several = await (await post(TEXT, { prompt: ["Cat", "Dog"], n: 2 })).json();
    expect(several.choices.map(({ index, text }: { index: number; text: string }) => [index, text])).toEqual(
      [0, 1, 2, 3].map((index) => [index, " was a"]),
    );
    expect(several.usage).toMatchObject({ prompt_tokens: 8, completion_tokens: 8 });
    expect(
      calls.map(({ prompt, options }) => [prompt, options.maxTokens, options.temperature, options.topP]),
    ).toEqual(["Cat", "Cat", "Dog", "Dog"].map((prompt) => [prompt, 16, 1, 1]));
    const echo = { prompt: [1, 72, 105], echo: true, logprobs: 0, max_tokens: 2 };
    const echoed = await (await post(TEXT, echo)).json();
    // The answer finds in the cache what this request has scored.
    expect(echoed.usage).toMatchObject({ prompt_tokens: 3, prompt_tokens_details: { cached_tokens: 0 } });
    expect(echoed.choices).toEqual([
      {
        index: 0,
        text: "Hi was a",
        logprobs: {
          tokens: ["token_id:1", "H", "i", " was", " a"],
          token_logprobs: [null, -1, -2, -0.5, -0.5],
          top_logprobs: null,
          text_offset: [0, 0, 1, 2, 6],
        },
        finish_reason: "stop",
      },
    ]);
    const scored = await (await post(TEXT, { ...echo, max_tokens: 0 })).json();
    expect(scored.choices[0]).toMatchObject({ text: "Hi", finish_reason: "length" });
    expect(scored.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 0 });
    await until(() => log.length === 3, "the log");
    // Scored, and then in the prompt of the answer; scored alone.
    expect(log.slice(1).map(({ promptTokens }) => promptTokens)).toEqual([6, 3]);
  });

  test("changes to a conversation for its template are reported in the answer and the log", async () => {
    const { model } = fakeModel();
    const encodeChat: typeof model.encodeChat = (messages, options) => {
      options?.onWarning?.("joined");
      return model.encodeChat(messages);
    };
    const { post, log } = await serving({ ...model, encodeChat });
    expect(await (await post(CHAT, HELLO)).json()).toMatchObject({ warnings: ["joined"] });
    await until(() => log.length === 1, "the log");
    expect(log[0]).toMatchObject({ warnings: ["joined"] });
  });

  test("is encoded once for any number of answers", async () => {
    const { model, calls } = fakeModel();
    const encoded: unknown[] = [];
    const { post } = await serving({
      ...model,
      encode: (text) => {
        encoded.push(text);
        return model.encode(text);
      },
      encodeChat: (messages) => {
        encoded.push(messages);
        return model.encodeChat(messages);
      },
    });
    const hello = await model.encode("Hello");
    const requests: [path: string, body: object, inputs: object[]][] = [
      [CHAT, { ...HELLO, n: 3 }, [{ standalone: true }, { standalone: true }, { standalone: true }]],
      [CHAT, { ...HELLO, n: 2, stream: true }, [{ standalone: true }, { standalone: true }]],
      [TEXT, { prompt: "Hello", n: 3 }, [{}, {}, {}]],
      [WORKERS_AI, HELLO, [{ standalone: true }]],
      [WORKERS_AI, { prompt: "Hello" }, [{ standalone: true }]],
      [WORKERS_AI, { prompt: "Hello", raw: true }, [{ standalone: false }]],
    ];
    for (const [path, body, inputs] of requests) {
      encoded.length = calls.length = 0;
      const response = await post(path, body);
      expect([response.status, path, await response.text()]).toEqual([200, path, expect.any(String)]);
      expect(encoded).toHaveLength(1);
      expect(calls).toMatchObject(inputs.map((options) => ({ input: hello, options })));
    }
  });

  test("an assistant's last message is continued", async () => {
    const { model, calls } = fakeModel();
    const asked: unknown[] = [];
    const encodeChat: typeof model.encodeChat = (messages, options) => {
      asked.push(options);
      return model.encodeChat(messages);
    };
    const { post } = await serving({ ...model, encodeChat });
    const messages = [HELLO.messages[0], { role: "assistant", content: "There" }];
    expect((await post(CHAT, { messages, continue_final_message: true })).status).toBe(200);
    expect(asked).toMatchObject([{ continueFinalMessage: true }]);
    expect(calls[0]?.options).toMatchObject({ standalone: false });
  });

  test.each([
    [{}, { safe_prompt: true }, CHAT, true],
    [{}, {}, CHAT, undefined],
    // The operator decides, not the request.
    [{ safePrompt: true }, { safe_prompt: false }, CHAT, true],
    [{ safePrompt: true }, {}, WORKERS_AI, true],
  ])("with %j and %j the safe prompt of %s: %s", async (options, fields, path, safePrompt) => {
    const { model, calls } = fakeModel();
    const asked: { safePrompt?: boolean }[] = [];
    const encodeChat: typeof model.encodeChat = (messages, options = {}) => {
      asked.push(options);
      return model.encodeChat(messages);
    };
    const { post } = await serving({ ...model, encodeChat }, options);
    expect((await post(path, { ...HELLO, ...fields })).status).toBe(200);
    expect(asked.map((each) => each.safePrompt)).toEqual([safePrompt]);
    expect(calls[0]?.options).not.toHaveProperty("safePrompt");
  });

  test("models and tokens", async () => {
    const { get, post } = await serving(fakeModel().model, { name: "owner/paper", aliases: ["other"] });
    const list = await (await get("/v1/models")).json();
    expect(list.data.map(({ id }: { id: string }) => id)).toEqual(["owner/paper", "other"]);
    const entry = { id: "owner/paper", object: "model", context_length: 4096 };
    expect(await (await get("/v1/models/owner/paper")).json()).toMatchObject(entry);
    expect(await (await get("/v1/models/owner%2Fpaper")).json()).toMatchObject(entry);
    expect((await get("/v1/models/none")).status).toBe(404);
    const tokens = await (await post("/v1/tokenize", { input: "Hi" })).json();
    expect(tokens).toEqual({ tokens: [1, 72, 105], count: 3 });
    expect(await (await post("/v1/detokenize", { tokens: tokens.tokens })).json()).toEqual({ text: "Hi" });
  });
});
