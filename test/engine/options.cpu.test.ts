// Calls of wrong types, unknown options and values out of range are refused by name, before anything runs.
import { describe, expect, test } from "vitest";
import { Adapters } from "../../engine/adapters/adapters.ts";
import { sirocco } from "../../engine/ai-sdk.ts";
import type { GenerateOptions, Model } from "../../engine/api.ts";
import * as load from "../../engine/load.ts";
import { LoadedModel, type ModelParts } from "../../engine/model.ts";
import { loadModelInWorker, mergeModel, quantizeModel } from "../../engine/node.ts";
import { similar } from "../../engine/options/check.ts";
import { checkLoad } from "../../engine/options/tables.ts";
import type { Platform } from "../../engine/platform.ts";
import { recordError, reviveError } from "../../engine/worker/errors.ts";
import { Ai } from "../../engine/workers-ai.ts";
import type { ModelConfig } from "../../weights/index.ts";
import { fakeModel } from "../fake-model.ts";
import { openTiny } from "../tokenizer/fixtures.ts";

/** A model on a GPU that fails on every use. */
const model: Model = new LoadedModel({
  checkpoint: { config: { V: 2048, eosTokenIds: [2], W: null }, source: { name: "test" } },
  tokenizer: openTiny(),
  adapters: new Adapters({} as ModelConfig),
  recovery: {
    last: { plan: { contextLength: 100, rings: 1, cacheSlots: 100 }, decoder: { shape: { V: 2048 } } },
    check: () => {},
  },
} as unknown as ModelParts);

// biome-ignore lint/suspicious/noExplicitAny: what JavaScript may pass
const any = (value: unknown): any => value;
const first = (options: unknown) => () => model.generate("Once", any(options)).next();
const chatOf = (messages: unknown, options?: unknown) => () => model.chat(any(messages), any(options)).next();
const worker = any({ postMessage() {}, addEventListener() {}, removeEventListener() {} });

async function refused(call: () => unknown, type: typeof Error, parameter: string, message: RegExp) {
  const error = await Promise.resolve()
    .then(call)
    .then(
      () => expect.fail("it was not refused"),
      (thrown: unknown) => thrown,
    );
  expect(error).toBeInstanceOf(type);
  expect(error).toMatchObject({ parameter, message: expect.stringMatching(message) });
  expect((error as Error).message.length).toBeLessThan(400);
}

describe("arguments", () => {
  test.each<[string, () => unknown, typeof Error, string, RegExp]>([
    ["generate(undefined)", () => model.generate(any(undefined)).next(), TypeError, "prompt", /got nothing/],
    [
      "generate(5)",
      () => model.generate(any(5)).next(),
      TypeError,
      "prompt",
      /a text or a list of token ids, got 5/,
    ],
    ["generate(['a'])", () => model.generate(any(["a"])).next(), TypeError, "prompt", /got one of "a"/],
    ["generate(p, 5)", first(5), TypeError, "options", /expected an object of options of generate, got 5/],
    ["generate(p, null)", first(null), TypeError, "options", /got null/],
    ["generate(p, [])", first([]), TypeError, "options", /got an empty list/],
    ["chat('hi')", chatOf("hi"), TypeError, "messages", /expected a list of { role, content }, got "hi"/],
    ["chat(undefined)", chatOf(undefined), TypeError, "messages", /got nothing/],
    ["chat([])", chatOf([]), RangeError, "messages", /at least one message/],
    ["chat([null])", chatOf([null]), TypeError, "messages[0]", /got null/],
    [
      "chat without content",
      chatOf([{ role: "user" }]),
      TypeError,
      "messages[0].content",
      /a text, got nothing/,
    ],
    [
      "chat with parts",
      chatOf([{ role: "user", content: [{}] }]),
      TypeError,
      "messages[0].content",
      /got a list/,
    ],
    [
      "chat of a robot",
      chatOf([{ role: "robot", content: "" }]),
      RangeError,
      "messages[0].role",
      /got "robot"/,
    ],
    ["chat, null", chatOf([{ role: "user", content: "a" }], null), TypeError, "options", /got null/],
    ["score('')", () => model.score(""), RangeError, "text", /at least two tokens, got one/],
    ["score, from", () => model.score("a b", { from: 99 }), RangeError, "from", /at most \d, the last token/],
    ["score(5)", () => model.score(any(5)), TypeError, "text", /got 5/],
    [
      "adapter: 5",
      () => model.logits([1], any({ adapter: 5 })),
      TypeError,
      "adapter",
      /a list of these, got 5/,
    ],
    ["adapter: ['a', 5]", () => model.logits([1], any({ adapter: ["a", 5] })), TypeError, "adapter", /list/],
    ["logits('a')", () => model.logits(any("a")), TypeError, "ids", /a list of token ids, got "a"/],
    ["encode(5)", () => model.encode(any(5)), TypeError, "text", /a text, got 5/],
    ["decode('x')", () => model.decode(any("x")), TypeError, "ids", /got "x"/],
    ["decode(['x'])", () => model.decode(any(["x"])), TypeError, "ids", /got one of "x"/],
    ["attention(ids)", () => any(model).attention([1]), TypeError, "layer", /got nothing/],
    [
      "restoreSession('a')",
      () => model.restoreSession(any("a")),
      TypeError,
      "session",
      /Uint8Array, got "a"/,
    ],
    ["new Ai(5)", () => new Ai(any(5)), TypeError, "Ai", /got 5/],
    ["new Ai({})", () => new Ai(any({})), TypeError, "baseURL", /got nothing/],
    ["new Ai, no address", () => new Ai({ baseURL: "localhost:8000" }), RangeError, "baseURL", /http:/],
    ["sirocco({})", () => sirocco(any({})), TypeError, "model", /a loaded model, got an object/],
    ["quantizeModel", () => quantizeModel(undefined, any(undefined)), TypeError, "out", /got nothing/],
    ["mergeModel", () => mergeModel(undefined, any({ out: "x" })), TypeError, "adapter", /got nothing/],
    ["mergeModel", () => mergeModel(undefined, any({ adapter: "x" })), TypeError, "out", /got nothing/],
    ["mergeModel", () => mergeModel(undefined, any({ adapter: 5, out: "x" })), TypeError, "adapter", /got 5/],
  ])("%s", (_, call, type, parameter, message) => refused(call, type, parameter, message));

  test.each<[unknown, RegExp]>([
    [5, /got 5. Options come second/],
    [{ weights: "q4" }, /got an object. Options come second/],
    [[], /fileSource/],
  ])("loadModel(%j), planModel, tuneModel, quantizeModel", async (source, message) => {
    const platform = any({}) as Platform;
    for (const call of [load.loadModel, load.planModel, load.tuneModel])
      await refused(() => call(platform, any(source), {}), TypeError, "source", message);
    await refused(() => quantizeModel(any(source), any({})), TypeError, "source", message);
  });
});

describe("unknown options", () => {
  test.each<[string, () => unknown, string, RegExp]>([
    [
      "max_tokens",
      first({ max_tokens: 5 }),
      "max_tokens",
      /generate: expected no option "max_tokens", got one. Use maxTokens/,
    ],
    ["top_p", chatOf([{ role: "user", content: "a" }], { top_p: 1 }), "top_p", /chat: .* Use topP/],
    ["something else", first({ plugins: [] }), "plugins", /There are temperature, topK/],
    ["__proto__", first(JSON.parse('{"__proto__": 1}')), "__proto__", /expected no option/],
    ["toString", first({ toString: 1 }), "toString", /expected no option/],
    [
      "continueFinalMessage of generate",
      first({ continueFinalMessage: true }),
      "continueFinalMessage",
      /no option/,
    ],
    ["score", () => model.score("a b", any({ topLogprobs: 1 })), "topLogprobs", /Use topLogProbs/],
    ["logits", () => model.logits([1], any({ sginal: 1 })), "sginal", /Use signal/],
    ["attention", () => model.attention([1], any({ layer: 0, heads: 1 })), "heads", /Use head/],
    ["candidates", () => model.candidates([1], any({ counts: 1 })), "counts", /Use count/],
    ["saveSession", () => model.saveSession(any({ conversations: 1 })), "conversations", /Use conversation/],
    ["encodeChat", () => model.encodeChat([], any({ add: 1 })), "add", /no option/],
    [
      "loadModel",
      () => load.loadModel(any({}), undefined, any({ context_length: 5 })),
      "context_length",
      /loadModel: .* Use contextLength/,
    ],
    [
      "planModel",
      () => load.planModel(any({}), undefined, any({ weight: "q4" })),
      "weight",
      /planModel: .* Use weights/,
    ],
    ["tuneModel", () => load.tuneModel(any({}), undefined, any({ dtype: "q4" })), "dtype", /Use weights/],
    ["kernels", () => checkLoad("loadModel", any({ kernels: { matVec: "lane" } })), "matVec", /Use matvec/],
    [
      "quantizeModel",
      () => quantizeModel(undefined, any({ weights: "q4", output: "a" })),
      "output",
      /Use out/,
    ],
    [
      "loadModelInWorker",
      () => loadModelInWorker(undefined, any({ worker, parralel: 1 })),
      "parralel",
      /Use parallel/,
    ],
    [
      "Ai's run",
      () => new Ai(fakeModel().model).run("a", { prompt: "a" }, any({ gateway: {} })),
      "gateway",
      /run: expected no/,
    ],
    [
      "openai's create",
      () => model.openai.chat.completions.create({ messages: [] }, any({ sginal: 1 })),
      "sginal",
      /create: .* Use signal/,
    ],
    [
      "an assistant's prefix",
      chatOf([
        { role: "user", content: "a" },
        { role: "assistant", content: "b", prefix: true },
      ]),
      "messages[1].prefix",
      /does not support it/,
    ],
    [
      "calls of tools",
      chatOf([{ role: "user", content: "a", tool_calls: [{}] }]),
      "messages[0].tool_calls",
      /support/,
    ],
    [
      "Ai's server",
      () => new Ai(any({ baseURL: "http://a", apiKey: "k" })),
      "apiKey",
      /Ai: expected no option/,
    ],
    ["the AI SDK's settings", () => sirocco(fakeModel().model, any({ model: "a" })), "model", /Use modelId/],
  ])("%s", (_, call, parameter, message) => refused(call, TypeError, parameter, message));

  test.each([
    ["max_tokens", "maxTokens"],
    ["maxtokens", "maxTokens"],
    ["max_new_tokens", "maxTokens"],
    ["max_completion_tokens", "maxTokens"],
    ["n_predict", "maxTokens"],
    ["top_p", "topP"],
    ["temp", "temperature"],
    ["temprature", "temperature"],
    ["stop_sequences", "stop"],
    ["abortSignal", "signal"],
    ["logprobs", "topLogProbs"],
    ["repeat_penalty", "repetitionPenalty"],
    ["n", undefined],
    ["user", undefined],
  ])("%s: %s", (given, meant) => {
    const known = [
      "temperature",
      "topK",
      "topP",
      "repetitionPenalty",
      "seed",
      "maxTokens",
      "stop",
      "topLogProbs",
      "signal",
    ];
    expect(similar(given, known)).toBe(meant);
  });
});

describe("values", () => {
  const long = "x".repeat(10_000);
  test.each<[GenerateOptions | Record<string, unknown>, typeof Error, RegExp]>([
    [{ temperature: "0.5" }, TypeError, /temperature: expected a number, got "0.5"/],
    [{ temperature: null }, TypeError, /temperature: expected a number, got null/],
    [{ temperature: Number.NaN }, RangeError, /temperature: expected a number >= 0, got NaN/],
    [{ temperature: -1 }, RangeError, /temperature: .* got -1/],
    [{ topP: 2 }, RangeError, /topP: .* got 2/],
    [{ minP: long }, TypeError, /minP: expected a number, got "x/],
    [{ topK: 1.5 }, RangeError, /topK: .* got 1.5/],
    [{ repetitionPenalty: 0 }, RangeError, /repetitionPenalty/],
    [{ frequencyPenalty: Infinity }, RangeError, /frequencyPenalty/],
    [{ presencePenalty: {} }, TypeError, /presencePenalty: .* got an object/],
    [{ seed: -1 }, RangeError, /seed: .* got -1/],
    [{ maxTokens: "5" }, TypeError, /maxTokens: .* got "5"/],
    [{ maxTokens: -1 }, RangeError, /maxTokens: expected a whole number from 0 on, got -1/],
    [{ ignoreEos: 1 }, TypeError, /ignoreEos: expected true or false, got 1/],
    [{ topLogProbs: true }, TypeError, /topLogProbs: .* got true/],
    [{ topLogProbs: 21 }, RangeError, /topLogProbs: .* from 0 to 20, got 21/],
    [{ signal: new AbortController() }, TypeError, /signal: expected an AbortSignal, got an object/],
    [{ stop: 5 }, TypeError, /stop: expected a text or a list of texts/],
    [{ stop: ["a", null] }, TypeError, /stop/],
    [{ stop: "" }, RangeError, /stop: .* not empty, got ""/],
    [{ stop: ["a", ""] }, RangeError, /stop/],
    [
      { logitBias: [1] },
      TypeError,
      /logitBias: expected an object of finite numbers by token id, got a list/,
    ],
    [{ logitBias: new Map([[1, 1]]) }, TypeError, /logitBias/],
    [{ logitBias: { 1: "2" } }, TypeError, /logitBias/],
    [{ logitBias: { 1: Number.NaN } }, RangeError, /logitBias/],
    [{ logitBias: { 2048: 1 } }, RangeError, /logitBias: expected token ids from 0 to 2047, got "2048"/],
    [{ logitBias: { cat: 1 } }, RangeError, /logitBias: .* got "cat"/],
  ])("generate %#", async (options, type, message) => {
    await refused(first(options), type, Object.keys(options)[0]!, message);
    await refused(chatOf([{ role: "user", content: "a" }], options), type, Object.keys(options)[0]!, message);
  });

  test.each<[Record<string, unknown>, typeof Error, RegExp]>([
    [{ weights: "q2" }, RangeError, /weights: expected auto, f32, .*, got "q2"/],
    [{ cache: 8 }, TypeError, /cache: .* got 8/],
    [{ contextLength: "4096" }, TypeError, /contextLength: .* got "4096"/],
    [{ contextLength: 0 }, RangeError, /contextLength: expected a positive whole number, got 0/],
    [{ onProgress: {} }, TypeError, /onProgress: expected a function, got an object/],
    [{ device: "cpu" }, TypeError, /device: expected a GPUDevice, got "cpu"/],
    [{ parallel: 0 }, RangeError, /parallel: expected a whole number from 1 to 1024, got 0/],
    [{ rings: 2000 }, RangeError, /rings/],
    [{ chunkLength: Number.NaN }, RangeError, /chunkLength/],
    [{ maxBindingBytes: -1 }, RangeError, /maxBindingBytes/],
    [{ tune: "no" }, TypeError, /tune/],
    [{ kernels: "lane" }, TypeError, /kernels/],
    [{ signal: {} }, TypeError, /signal/],
    [{ token: 5 }, TypeError, /token/],
  ])("loadModel %#", async (options, type, message) => {
    const [name] = Object.keys(options);
    await refused(() => load.loadModel(any({}), undefined, any(options)), type, name!, message);
    await refused(() => loadModelInWorker(undefined, any({ ...options, worker })), type, name!, message);
  });

  test("of the other calls", async () => {
    await refused(
      () => model.candidates([1], { count: 0 }),
      RangeError,
      "count",
      /a positive whole number, got 0/,
    );
    await refused(() => model.attention([1], { layer: -1 }), RangeError, "layer", /got -1/);
    await refused(() => model.saveSession({ conversation: 0.5 }), RangeError, "conversation", /got 0.5/);
    await refused(() => model.score("a b", any({ signal: 5 })), TypeError, "signal", /got 5/);
    await refused(
      () => loadModelInWorker(undefined, any({ worker: 5 })),
      TypeError,
      "worker",
      /a Worker, got 5/,
    );
  });

  test("undefined is ignored, also for unknown options", () =>
    // After the checks, every call fails on this model.
    expect(first({ temperature: undefined, max_tokens: undefined })()).rejects.not.toHaveProperty(
      "parameter",
    ));
});

test("an error from a worker keeps its parameter and code", async () => {
  const thrown = await first({ max_tokens: 5 })().catch((error: unknown) => error);
  const revived = reviveError(structuredClone(recordError(thrown)));
  expect(revived).toBeInstanceOf(TypeError);
  expect(revived).toMatchObject({
    parameter: "max_tokens",
    code: "unsupported",
    message: expect.stringContaining("Use maxTokens"),
  });
});
