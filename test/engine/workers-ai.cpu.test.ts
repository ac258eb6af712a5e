// `Ai` on a fake model: the calls the model gets, how its chunks are sent, and the input that is refused.
import { describe, expect, test } from "vitest";
import { ContextLengthError } from "../../engine/errors.ts";
import { Ai, type AiBinding, AiError, type AiTextGenerationInput } from "../../engine/workers-ai.ts";
import { bytesText } from "../bytes-text.ts";
import { type FakeCall, fakeModel } from "../fake-model.ts";

const MODEL = "@cf/mistral/mistral-7b-instruct-v0.1";
const USAGE = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };
const WHOLE = { response: "One wind. Ü", usage: USAGE };
const EVENTS = [
  'data: {"response":"One"}',
  'data: {"response":" wind."}',
  'data: {"response":" Ü"}',
  `data: ${JSON.stringify({ response: "", usage: USAGE })}`,
  "data: [DONE]",
];
const EVENT_TEXT = EVENTS.map((line) => `${line}\n\n`).join("");

const newAi = (pieces = ["One", " wind.", " Ü"], before?: () => unknown) => {
  const finish = () => ({ promptTokens: 7, cachedTokens: 0, completionTokens: pieces.length });
  const { model, calls, running } = fakeModel({ pieces, finish, ...(before && { before }) });
  return { ai: new Ai(model), calls, running };
};

const asked = (calls: readonly FakeCall[]) => calls.map(({ input, options }) => ({ input, options }));

const refusal = async (input: unknown, ai = newAi().ai) => {
  const error = await ai.run(MODEL, input as AiTextGenerationInput).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(AiError);
  return error as AiError;
};

describe("calls of the model", () => {
  test("a prompt is a user's message, with Cloudflare's defaults", async () => {
    const { ai, calls } = newAi();
    expect(await ai.run(MODEL, { prompt: "Name a wind." })).toEqual(WHOLE);
    expect(asked(calls)).toEqual([
      {
        input: [{ role: "user", content: "Name a wind." }],
        options: { maxTokens: 256, temperature: 0.6, topP: 1 },
      },
    ]);
  });

  test("a raw prompt is passed to the model unchanged; Cloudflare's own example sends the flag as text", async () => {
    const { ai, calls } = newAi();
    const prompt = "<s>[INST]comedian[/INST]</s>\n[INST]tell me a joke about cloudflare[/INST]";
    await ai.run(MODEL, { prompt, raw: true });
    await ai.run(MODEL, { prompt, raw: "true" as unknown as boolean });
    expect(calls.map(({ input }) => input)).toEqual([prompt, prompt]);
  });

  test("messages and every number, under the engine's names", async () => {
    const { ai, calls } = newAi();
    const messages = [
      { role: "system", content: "You are a friendly assistant" },
      { role: "user", content: "What is the origin of the phrase Hello, World" },
    ] as const;
    const numbers = { max_tokens: 5, temperature: 0, top_p: 0.9, top_k: 50, seed: 9_999_999_999 };
    const penalties = { repetition_penalty: 1.1, frequency_penalty: 0.5, presence_penalty: 2 };
    await ai.run(MODEL, { messages, ...numbers, ...penalties });
    expect(asked(calls)[0]).toEqual({
      input: messages,
      options: {
        ...{ maxTokens: 5, temperature: 0, topP: 0.9, topK: 50, seed: 9_999_999_999 },
        ...{ repetitionPenalty: 1.1, frequencyPenalty: 0.5, presencePenalty: 2 },
      },
    });
    await ai.run(MODEL, { messages, top_p: 2 });
    expect(calls[1]?.options.topP).toBe(1);
  });

  test("a LoRA adapter, with a raw prompt, a raw message or a conversation", async () => {
    const { model, calls } = fakeModel();
    const ai = new Ai(Object.assign(model, { adapters: ["pirate"] }));
    const messages = [{ role: "user", content: "Where is the ship?" }];
    const lora = "pirate";
    await ai.run(MODEL, { prompt: "Where is the ship?", raw: true, lora });
    await ai.run(MODEL, { messages, raw: true, lora });
    await ai.run(MODEL, { messages, lora });
    expect(calls.map(({ input }) => input)).toEqual(["Where is the ship?", "Where is the ship?", messages]);
    expect(calls.map(({ options }) => options.adapter)).toEqual(["pirate", "pirate", "pirate"]);
  });

  test("null and empty lists are ignored", async () => {
    const { ai } = newAi();
    const input = { prompt: "Hi", messages: null, lora: null, tools: [], top_k: null };
    expect(await ai.run(MODEL, input as unknown as AiTextGenerationInput)).toEqual(WHOLE);
  });
});

describe("refused by name", () => {
  const user = { role: "user", content: "Hi" };
  test.each([
    [null, /input: expected an object .* got null/],
    [{}, /expected prompt or messages, got neither/],
    [{ prompt: "Hi", messages: [user] }, /expected prompt or messages, got both/],
    [{ prompt: "" }, /prompt: expected a text, got ""/],
    [{ prompt: 5 }, /prompt: expected a text, got 5/],
    [{ messages: "Hi" }, /messages: expected a list of .* got "Hi"/],
    [{ messages: [user, user], raw: true }, /raw: expected it with a prompt or one message of a user/],
    [{ messages: [{ role: "system", content: "Hi" }], raw: true }, /raw: expected it with a prompt or one/],
    [{ prompt: "Hi", lora: 5 }, /lora: expected a text, got 5/],
    [{ messages: ["Hi"] }, /messages\[0\]: expected an object/],
    [{ messages: [{ role: "tool", content: "Hi" }] }, /messages\[0\].tool_call_id: expected the id/],
    [{ messages: [{ ...user, content: [] }] }, /messages\[0\].content: expected a text, got an empty list/],
    [{ messages: [{ ...user, tool_call_id: "1" }] }, /messages\[0\].tool_call_id: expected none/],
    [{ messages: [{ ...user, prefix: true }] }, /messages\[0\].prefix: expected none/],
    [
      { messages: [{ role: "assistant", content: "Hi", prefix: true }] },
      /messages\[0\].prefix: expected none/,
    ],
    [JSON.parse('{ "prompt": "Hi", "__proto__": {} }'), /__proto__: expected none/],
    [{ prompt: "Hi", stream: 1 }, /stream: expected true or false, got 1/],
    [{ prompt: "Hi", tools: [{ type: "code" }] }, /tools\[0\].type: expected none/],
    [{ prompt: "Hi", response_format: { type: "json" } }, /response_format.type: expected text, json_object/],
    [{ text: "Hi" }, /text: expected none/],
    [{ prompt: "Hi", max_tokens: 0 }, /max_tokens: expected a whole number of at least 1, got 0/],
    [{ prompt: "Hi", max_tokens: 2.5 }, /max_tokens/],
    [{ prompt: "Hi", max_tokens: "5" }, /max_tokens: .* got "5"/],
    [{ prompt: "Hi", temperature: 5.1 }, /temperature: expected a number from 0 to 5, got 5.1/],
    [{ prompt: "Hi", temperature: NaN }, /temperature/],
    [{ prompt: "Hi", top_p: -0.1 }, /top_p: expected a number from 0 to 2/],
    [{ prompt: "Hi", top_k: 51 }, /top_k: expected a whole number from 1 to 50/],
    [{ prompt: "Hi", seed: 0 }, /seed: expected a whole number from 1 to 9999999999/],
    [{ prompt: "Hi", repetition_penalty: 0 }, /repetition_penalty: expected a number from 0.001 to 2/],
    [{ prompt: "Hi", frequency_penalty: -1 }, /frequency_penalty/],
    [{ prompt: "Hi", presence_penalty: 2.1 }, /presence_penalty/],
  ])("%j", async (input, message) => {
    const { ai, calls } = newAi();
    const error = await refusal(input, ai);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^5006: /);
    expect([error.name, error.code, error.status]).toEqual(["AiError", 5006, 400]);
    expect(calls).toEqual([]);
  });

  test("a LoRA adapter that is not loaded", async () => {
    const input = { prompt: "tell me a story", raw: true, lora: "finetune" };
    expect((await refusal(input)).message).toBe(
      '5006: lora: expected none, as none is loaded, got "finetune".',
    );
    const { model } = fakeModel();
    const ai = new Ai(Object.assign(model, { adapters: ["pirate", "legal"] }));
    expect((await refusal(input, ai)).message).toMatch(/one of "pirate", "legal", got "finetune"/);
  });

  test("unsupported options of a run", async () => {
    const options = { gateway: { id: "my-gateway" } } as object;
    await expect(newAi().ai.run(MODEL, { prompt: "Hi" }, options)).rejects.toThrow(
      /run: expected no option "gateway"/,
    );
  });

  test("models that an Ai cannot run on", () => {
    expect(() => new Ai(undefined as unknown as AiBinding)).toThrow(
      /expected a loaded model, .* got nothing/,
    );
  });

  test("a prompt that does not fit rejects, streamed or not, and errors of the engine are passed on unchanged", async () => {
    for (const stream of [false, true]) {
      let failure: Error = new ContextLengthError("prompt: expected at most 5 tokens, got 7.");
      const { ai } = newAi(["One"], () => {
        throw failure;
      });
      const { code, status } = await refusal({ prompt: "Hi", stream }, ai);
      expect([code, status]).toEqual([5021, 400]);
      failure = new Error("the device is gone");
      await expect(ai.run(MODEL, { prompt: "Hi", stream })).rejects.toBe(failure);
    }
  });
});

describe("stream: true", () => {
  test("the bytes are events, closed by usage and [DONE]", async () => {
    const stream = await newAi().ai.run(MODEL, { prompt: "Hi", stream: true });
    expect(await bytesText(stream)).toBe(EVENT_TEXT);
  });

  test("a Response accepts it, as in a Worker", async () => {
    const { ai } = newAi();
    const env = { AI: ai };
    // Cloudflare's example, with types added.
    const worker = {
      async fetch(_request: Request, env: { AI: AiBinding }): Promise<Response> {
        const ai = new Ai(env.AI);
        const messages = [
          { role: "system", content: "You are a friendly assistant" },
          { role: "user", content: "What is the origin of the phrase Hello, World" },
        ];
        const stream = await ai.run("@cf/mistral/mistral-7b-instruct-v0.1", { messages, stream: true });
        return new Response(stream, { headers: { "content-type": "text/event-stream" } });
      },
    };
    const response = await worker.fetch(new Request("http://localhost/"), env);
    expect(await response.text()).toBe(EVENT_TEXT);
  });

  test("a piece is made when it is requested", async () => {
    const { ai, calls } = newAi(Array.from({ length: 50 }, () => "x"));
    const stream = await ai.run(MODEL, { prompt: "Hi", stream: true });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(calls[0]?.pieces).toBe(1);
    const reader = stream.getReader();
    await reader.read();
    await reader.read();
    expect(calls[0]?.pieces).toBe(2);
    await reader.cancel();
  });

  test("cancelling ends the generation, also while a piece is being made and before one is read", {
    timeout: 5000,
  }, async () => {
    for (const reads of [0, 2]) {
      let waits = false;
      const { ai, calls, running } = newAi(["a", "b", "c", "d"], () => waits && new Promise(() => {}));
      const stream = await ai.run(MODEL, { prompt: "Hi", stream: true });
      const reader = stream.getReader();
      for (let i = 0; i < reads; i++) await reader.read();
      waits = true;
      const pending = reader.read();
      await reader.cancel("enough");
      expect((await pending).done).toBe(reads > 0);
      expect([running(), calls[0]?.options.signal?.aborted]).toEqual([0, true]);
    }
  });

  test("a signal rejects the stream and a call with its reason", async () => {
    const controller = new AbortController();
    const reason = new Error("no longer needed");
    const { ai, running } = newAi(["a", "b", "c"]);
    const stream = await ai.run(MODEL, { prompt: "Hi", stream: true }, { signal: controller.signal });
    const reader = stream.getReader();
    await reader.read();
    controller.abort(reason);
    await expect(reader.read()).rejects.toBe(reason);
    const call = ai.run(MODEL, { prompt: "Hi" }, { signal: controller.signal });
    await expect(call).rejects.toBe(reason);
    expect(running()).toBe(0);
  });
});
