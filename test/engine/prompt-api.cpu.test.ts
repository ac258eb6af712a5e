// `LanguageModel` on a model without a GPU: what a page that is written to Chrome's own relies on.
import { describe, expect, test, vi } from "vitest";
import type { ChatOptions, Chunk, Finish, Message, Progress } from "../../engine/api.ts";
import { DeviceLostError, NetworkError } from "../../engine/node.ts";
import {
  createLanguageModel,
  type LanguageModelMessage,
  type LanguageModelSession,
} from "../../engine/prompt-api.ts";
import { type FakeModelOptions, fakeModel } from "../fake-model.ts";
import { expectNoUnhandledRejections } from "../helpers.ts";

expectNoUnhandledRejections();

const user = (content: string) => ({ role: "user", content }) as const;
const assistant = (content: string) => ({ role: "assistant", content }) as const;

/** A session on a fake model: a token is a character, and messages are a line each. */
async function begin(options: FakeModelOptions = {}, initialPrompts: LanguageModelMessage[] = []) {
  const { model, calls } = fakeModel({ pieces: ["Yes", "."], ...options });
  const LanguageModel = createLanguageModel({ model });
  const session = await LanguageModel.create({ initialPrompts, temperature: 0.5, topK: 4 });
  const prompts = () => calls.map(({ input }) => input);
  return { model, calls, prompts, LanguageModel, session };
}

/** A fake model whose pieces wait for `release`. */
function held() {
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { before: (piece: number) => (piece === 0 ? gate : undefined), release };
}

async function textsOf(stream: ReadableStream<string>): Promise<string[]> {
  const texts: string[] = [];
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) texts.push(next.value);
  return texts;
}

describe("a conversation", () => {
  test("prompts, answers and initial prompts go to the model in order, with the session's sampling", async () => {
    const { session, calls, prompts, LanguageModel } = await begin({}, [
      { role: "system", content: "Be brief." },
    ]);
    expect(session).toBeInstanceOf(LanguageModel);
    expect(session).toMatchObject({ topK: 4, temperature: 0.5, contextWindow: 4096, inputQuota: 4096 });
    const before = session.contextUsage;
    expect(before).toBe(1 + "Be brief.".length);
    expect(await session.prompt("Is it?")).toBe("Yes.");
    await session.append([user("Note this."), assistant("Noted.")]);
    const parts = [
      { type: "text", value: "And " },
      { type: "text", value: "now?" },
    ];
    expect(await textsOf(session.promptStreaming([{ role: "user", content: parts }]))).toEqual(["Yes", "."]);
    const system = { role: "system", content: "Be brief." };
    expect(prompts()).toEqual([
      [system, user("Is it?")],
      [
        ...[system, user("Is it?"), assistant("Yes."), user("Note this."), assistant("Noted.")],
        user("And now?"),
      ],
    ]);
    expect(calls[0]?.options).toMatchObject({ topK: 4, temperature: 0.5, maxTokens: 4096 });
    expect(session.inputUsage).toBeGreaterThan(before);
    expect(session.inputUsage).toBe(session.contextUsage);
  });

  test("a prefix is continued, and is part of the answer in the conversation only", async () => {
    const { session, calls, prompts } = await begin();
    expect(await session.prompt([user("Is it?"), { ...assistant("Well: "), prefix: true }])).toBe("Yes.");
    expect(calls[0]?.options).toMatchObject({ continueFinalMessage: true });
    await session.prompt("Sure?");
    expect(prompts()[1]).toEqual([user("Is it?"), assistant("Well: Yes."), user("Sure?")]);
  });

  test("prompts wait for each other; one that is aborted leaves no trace, in line and under way", async () => {
    const { before, release } = held();
    const { session, calls, prompts } = await begin({ before });
    const [first, second] = [new AbortController(), new AbortController()];
    const running = session.prompt("one", { signal: first.signal });
    const waiting = session.prompt("two", { signal: second.signal });
    const last = session.prompt("three");
    await vi.waitFor(() => expect(calls).toHaveLength(1));
    second.abort();
    await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
    first.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
    release();
    expect(await last).toBe("Yes.");
    expect(prompts()).toEqual([[user("one")], [user("three")]]);
    await session.prompt("four");
    expect(prompts()[2]).toEqual([user("three"), assistant("Yes."), user("four")]);
  });

  test("a stream that is cancelled ends the answer and leaves no trace", async () => {
    const { session, calls } = await begin({
      pieces: Array<string>(1000).fill("a"),
      before: () => Promise.resolve(),
    });
    const reader = session.promptStreaming("one").getReader();
    expect(await reader.read()).toEqual({ done: false, value: "a" });
    await reader.cancel();
    await vi.waitFor(() => expect(calls[0]?.end).toMatch(/abort|left/));
    expect(calls[0]?.pieces).toBeLessThan(1000);
    expect(session.contextUsage).toBe(0);
  });

  test("a clone goes on on its own", async () => {
    const { session, prompts, LanguageModel } = await begin();
    await session.prompt("one");
    const clone = await session.clone();
    expect(clone).toBeInstanceOf(LanguageModel);
    expect(clone.contextUsage).toBe(session.contextUsage);
    session.destroy();
    await clone.prompt("two");
    expect(prompts()[1]).toEqual([user("one"), assistant("Yes."), user("two")]);
  });

  test("what is no list is a text, as WebIDL has it", async () => {
    const { session, prompts } = await begin();
    await session.prompt(7 as never);
    expect(prompts()).toEqual([[user("7")]]);
  });
});

describe("the context", () => {
  const long = "x".repeat(40);

  test("the oldest prompt goes with its answer, the initial ones stay, and both events tell", async () => {
    const { session, prompts } = await begin({ contextLength: 100 }, [user("Hi")]);
    const seen: string[] = [];
    session.addEventListener("contextoverflow", ({ type }) => seen.push(type));
    session.onquotaoverflow = ({ type }) => seen.push(type);
    await session.prompt(`a${long}`);
    await session.prompt(`b${long}`);
    expect(seen).toEqual(["contextoverflow", "quotaoverflow"]);
    expect(prompts()[1]).toEqual([user("Hi"), user(`b${long}`)]);
  });

  test("a prompt that alone is too long is refused with the numbers, and nothing is lost", async () => {
    const { session, prompts } = await begin({ contextLength: 100 });
    await session.prompt("one");
    const usage = session.contextUsage;
    const tooLong = session.prompt("x".repeat(100));
    await expect(tooLong).rejects.toMatchObject({ name: "QuotaExceededError", requested: 101, quota: 100 });
    await expect(tooLong).rejects.toBeInstanceOf(DOMException);
    expect(session.contextUsage).toBe(usage);
    await session.prompt("two");
    expect(prompts()[1]).toHaveLength(3);
    await expect(begin({ contextLength: 5 }, [user("123456")])).rejects.toMatchObject({
      name: "QuotaExceededError",
    });
  });

  test("a prompt can be measured, by both names", async () => {
    const { session } = await begin();
    expect(await session.measureContextUsage("four")).toBe(5);
    await session.prompt("one");
    const usage = session.contextUsage;
    expect(await session.measureInputUsage([user("four")])).toBe(5);
    const responseConstraint = { type: "object" };
    expect(await session.measureInputUsage("four", { responseConstraint })).toBeGreaterThan(20);
    const omitted = { responseConstraint, omitResponseConstraintInput: true };
    expect(await session.measureInputUsage("four", omitted)).toBe(5);
    expect(session.contextUsage).toBe(usage);
  });
});

describe("constraints", () => {
  test("a schema and an expression become formats; the model reads them unless they are omitted", async () => {
    const { session, calls } = await begin();
    const $schema = "https://json-schema.org/draft/2020-12/schema";
    await session.prompt("a", { responseConstraint: { $schema, type: "object" } });
    await session.prompt("b", { responseConstraint: /^[a-z]+$/u, omitResponseConstraintInput: true });
    expect(calls.map(({ options }) => options.format)).toEqual([
      { type: "json_schema", schema: { type: "object" } },
      { type: "regex", pattern: "^[a-z]+$" },
    ]);
    expect(calls[0]?.prompt).toMatch(/^a\n\n.*JSON Schema: \{"type":"object"\}$/);
    expect(calls[1]?.prompt).toMatch(/\nb$/);
  });

  test("an answer that is cut off is a SyntaxError, and leaves no trace", async () => {
    const { session } = await begin({ finish: () => ({ reason: "length" }) });
    expect(await session.prompt("a")).toBe("Yes.");
    const usage = session.contextUsage;
    const cut = session.prompt("a", { responseConstraint: /[a-z]/ });
    await expect(cut).rejects.toMatchObject({ name: "SyntaxError" });
    expect(session.contextUsage).toBe(usage);
  });
});

describe("tools", () => {
  const FINISH = {
    promptTokens: 9,
    cachedTokens: 0,
    completionTokens: 1,
    waitedMs: 0,
    prefillMs: 0,
    decodeMs: 0,
  };

  /** Asks for two tools at once, then answers. */
  async function withTools(execute: (args: { readonly city: string }) => unknown) {
    const asked: { messages: readonly Message[]; options: ChatOptions }[] = [];
    const call = (index: number, city: string) => {
      const piece = { index, id: `call${index}`, name: "weather" };
      return [
        { ...piece, arguments: "" },
        { ...piece, arguments: JSON.stringify({ city }) },
      ];
    };
    async function* chat(
      messages: readonly Message[],
      options: ChatOptions = {},
    ): AsyncGenerator<Chunk, void, void> {
      asked.push({ messages, options });
      const calls = asked.length === 1;
      if (calls) yield { text: "", ids: [1], toolCalls: [...call(0, "Oslo"), ...call(1, "Rome")] };
      else yield { text: "Fine.", ids: [1] };
      const reason: Finish["reason"] = calls ? "tool-calls" : "stop";
      yield { text: "", ids: [], finish: { reason, ...FINISH } };
    }
    const LanguageModel = createLanguageModel({ model: { ...fakeModel().model, chat } });
    const inputSchema = { type: "object", properties: { city: { type: "string" } } };
    const expectedInputs = [{ type: "text", languages: ["en"] }, { type: "tool-response" }];
    const session = await LanguageModel.create({
      tools: [{ name: "weather", description: "Tells it.", inputSchema, execute }],
      ...{ expectedInputs, expectedOutputs: [{ type: "tool-call" }] },
    });
    return { session, asked, inputSchema };
  }

  test("are run, and their results go back to the model", async () => {
    const { session, asked, inputSchema } = await withTools(async ({ city }) =>
      city === "Oslo" ? "snow" : { sun: 1 },
    );
    expect(await session.prompt("How is it?")).toBe("Fine.");
    expect(asked[0]?.options.tools).toEqual([
      { name: "weather", description: "Tells it.", parameters: inputSchema },
    ]);
    expect(asked[1]?.messages.slice(1)).toMatchObject([
      { role: "assistant", toolCalls: [{ id: "call0", arguments: '{"city":"Oslo"}' }, { id: "call1" }] },
      { role: "tool", toolCallId: "call0", content: "snow" },
      { role: "tool", toolCallId: "call1", content: '{"sun":1}' },
    ]);
  });

  test("one that fails fails the prompt, with its own error", async () => {
    const { session } = await withTools(() => {
      throw new RangeError("no such city");
    });
    await expect(session.prompt("How is it?")).rejects.toThrow(new RangeError("no such city"));
    expect(session.contextUsage).toBe(0);
  });
});

describe("loading", () => {
  test("the first session loads the model, and its monitor hears of it from 0 to 1", async () => {
    const { model } = fakeModel();
    let loads = 0;
    let report = (_: Progress) => {};
    let finish = () => {};
    const LanguageModel = createLanguageModel({
      model: ({ onProgress }) => {
        loads++;
        report = onProgress;
        return new Promise((resolve) => {
          finish = () => resolve(model);
        });
      },
    });
    expect(await LanguageModel.availability()).toBe("downloadable");
    const heard: number[] = [];
    const monitor = (m: EventTarget) =>
      m.addEventListener("downloadprogress", (event) => {
        const { loaded, total } = event as ProgressEvent;
        heard.push(loaded / total);
      });
    const [first, second] = [LanguageModel.create({ monitor }), LanguageModel.create()];
    expect(await LanguageModel.availability()).toBe("downloading");
    for (const loaded of [1, 3, 2, 4]) report({ stage: "load", name: "a", loaded, total: 4 });
    report({ stage: "tune", name: "a", loaded: 9, total: 10 });
    finish();
    await Promise.all([first, second]);
    expect([loads, heard]).toEqual([1, [0, 0.25, 0.75, 1]]);
    expect(await LanguageModel.availability()).toBe("available");
    const gone = new AbortController();
    const session = await LanguageModel.create({ signal: gone.signal });
    gone.abort();
    await expect(session.prompt("a")).rejects.toMatchObject({ name: "InvalidStateError" });
  });

  test("errors of loading have the specified names; the next session tries again", async () => {
    const errors: unknown[] = [new NetworkError("offline"), new Error("no GPU")];
    const { model } = fakeModel();
    const LanguageModel = createLanguageModel({
      model: async () => {
        const error = errors.shift();
        if (error) throw error;
        return model;
      },
    });
    await expect(LanguageModel.create()).rejects.toMatchObject({ name: "NetworkError", message: "offline" });
    await expect(LanguageModel.create()).rejects.toMatchObject({ name: "OperationError", message: "no GPU" });
    await LanguageModel.create();
    const never = createLanguageModel({ model: () => new Promise(() => {}) });
    await expect(never.create({ signal: AbortSignal.timeout(1) })).rejects.toMatchObject({
      name: "TimeoutError",
    });
  });

  test("parameters are those of Chrome, and values beyond them are clamped", async () => {
    const { LanguageModel } = await begin();
    const params = { defaultTopK: 3, maxTopK: 128, defaultTemperature: 1, maxTemperature: 2 };
    expect(await LanguageModel.params()).toEqual(params);
    expect(await LanguageModel.create({ topK: 1e6, temperature: 7 })).toMatchObject({
      topK: 128,
      temperature: 2,
    });
    expect(await LanguageModel.create()).toMatchObject({ topK: 3, temperature: 1, samplingMode: "balanced" });
    const exact = { samplingMode: "most-predictable" } as const;
    expect(await LanguageModel.create(exact)).toMatchObject({ topK: 1, temperature: 0, ...exact });
    expect(await LanguageModel.create({ ...exact, topK: 5 })).toMatchObject({ topK: 5, temperature: 0 });
  });

  test("settings are checked, and there is no constructor", async () => {
    expect(() => createLanguageModel({} as never)).toThrow(/^model: expected a loaded model/);
    const { LanguageModel } = await begin();
    expect(() => new LanguageModel()).toThrow(/LanguageModel\.create\(\)/);
  });
});

describe("errors", () => {
  const text = { type: "text", value: "a" };
  const system = { role: "system", content: "a" } as const;

  test.each<[string, string, (session: LanguageModelSession) => Promise<unknown>]>([
    [
      "an image",
      "NotSupportedError",
      (s) => s.prompt([{ role: "user", content: [text, { type: "image", value: {} }] }]),
    ],
    [
      "a text that is none",
      "TypeError",
      (s) => s.prompt([{ role: "user", content: [{ type: "text", value: 5 }] }]),
    ],
    ["no message", "TypeError", (s) => s.prompt([])],
    ["an unknown role", "TypeError", (s) => s.prompt([{ role: "tool" as "user", content: "a" }])],
    ["a system prompt in a prompt", "TypeError", (s) => s.append([system])],
    ["a prefix of the user", "SyntaxError", (s) => s.prompt([{ ...user("a"), prefix: true }])],
    [
      "a prefix in the middle",
      "SyntaxError",
      (s) => s.prompt([{ ...assistant("a"), prefix: true }, user("b")]),
    ],
    ["a prefix in append", "SyntaxError", (s) => s.append([{ ...assistant("a"), prefix: true }])],
    ["a flag", "NotSupportedError", (s) => s.prompt("a", { responseConstraint: /a/i })],
    ["a constraint that is none", "TypeError", (s) => s.prompt("a", { responseConstraint: "a" as never })],
  ])("%s: %s, before anything is answered; of a stream, too", async (_, name, call) => {
    const { session, calls } = await begin();
    await expect(call(session)).rejects.toMatchObject({ name });
    expect([calls.length, session.contextUsage]).toEqual([0, 0]);
    expect(await session.prompt("a")).toBe("Yes.");
  });

  test.each<[string, string, object]>([
    ["images", "NotSupportedError", { expectedInputs: [{ type: "image" }] }],
    ["audio", "NotSupportedError", { expectedOutputs: [{ type: "audio" }] }],
    ["a late system prompt", "TypeError", { initialPrompts: [user("a"), system] }],
    ["a prefix", "SyntaxError", { initialPrompts: [{ ...assistant("a"), prefix: true }] }],
    ["a temperature below 0", "RangeError", { temperature: -1 }],
    ["a topK below 1", "RangeError", { topK: 0 }],
    ["a mode that is none", "TypeError", { samplingMode: "hot" }],
    ["a type that is none", "TypeError", { expectedInputs: [{ type: "video" }] }],
    ["a tool without a function", "NotSupportedError", { tools: [{ name: "a" }] }],
  ])("create with %s: %s", async (_, name, options) => {
    const { LanguageModel } = await begin();
    await expect(LanguageModel.create(options)).rejects.toMatchObject({ name });
    if (name === "NotSupportedError") expect(await LanguageModel.availability(options)).toBe("unavailable");
  });

  test("destroy(): what runs rejects with AbortError, what comes later with InvalidStateError", async () => {
    const { before } = held();
    const { session, calls } = await begin({ before });
    const running = [session.prompt("a"), session.prompt("b"), textsOf(session.promptStreaming("c"))];
    await vi.waitFor(() => expect(calls).toHaveLength(1));
    session.destroy();
    session.destroy();
    for (const each of running) await expect(each).rejects.toMatchObject({ name: "AbortError" });
    const later = [
      ...[session.prompt("a"), session.append("a"), session.clone(), session.measureContextUsage("a")],
      textsOf(session.promptStreaming("a")),
    ];
    for (const each of later) await expect(each).rejects.toMatchObject({ name: "InvalidStateError" });
    await vi.waitFor(() => expect(calls[0]?.end).toBe("abort"));
  });

  test("errors of the model: a disposed one, and a GPU that fails, which ends a stream as well", async () => {
    const errors = [
      new DeviceLostError("gone", { code: "disposed" }),
      new Error("burnt"),
      new Error("burnt"),
    ];
    const { session } = await begin({
      before: () => {
        throw errors.shift();
      },
    });
    await expect(session.prompt("a")).rejects.toMatchObject({ name: "InvalidStateError", message: "gone" });
    await expect(session.prompt("a")).rejects.toMatchObject({ name: "UnknownError", message: "burnt" });
    await expect(textsOf(session.promptStreaming("a"))).rejects.toMatchObject({ name: "UnknownError" });
  });
});
