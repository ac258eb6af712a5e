// Both ends of `loadModelInWorker` over a Node channel: a model in a worker must behave like a local one.
import { afterEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import type { Chunk, Finish, GenerateOptions, LoadOptions, Model, Moderation } from "../../engine/api.ts";
import {
  ChatTemplateError,
  CheckpointError,
  ContextLengthError,
  DeviceError,
  DeviceLostError,
  loadModelInWorker,
  TokenizerError,
} from "../../engine/index.ts";
import { CHUNKS_AHEAD, type Opening } from "../../engine/worker/protocol.ts";
import { serve } from "../../engine/worker/server.ts";
import { WrongFileError } from "../../weights/index.ts";
import { DISPOSED, EVERY_CALL } from "./every-call.ts";

const FINISH: Finish = {
  ...{ reason: "length", promptTokens: 1, cachedTokens: 0 },
  ...{ completionTokens: 20, waitedMs: 0, prefillMs: 1, decodeMs: 1 },
};

/** The calls to the model in the worker, and how many chunks of its answer it made. */
interface Seen {
  made: number;
  ended: boolean;
  disposed: boolean;
  terminated: boolean;
  options?: LoadOptions | undefined;
}

/** A worker that runs `serve` on this thread, with a model that makes 20 chunks. */
function fakeWorker(load?: (options: LoadOptions) => Promise<void>, replace: Partial<Model> = {}) {
  const seen: Seen = { made: 0, ended: false, disposed: false, terminated: false };
  async function* generate(
    _: unknown,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<Chunk, void, void> {
    try {
      for (let i = 0; i < 20; i++) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        if (signal?.aborted)
          return yield { text: "", ids: [], finish: { ...FINISH, reason: "abort" as const } };
        seen.made++;
        yield { text: `${i} `, ids: [i], ...(i === 19 && { finish: FINISH }) };
      }
    } finally {
      seen.ended = true;
    }
  }
  const model = {
    ...({ config: { V: 9 }, plan: { weightBytes: 1 }, adapter: { name: "fake" }, contextLength: 7 } as Model),
    generate: generate as Model["generate"],
    chat: generate as Model["chat"],
    score: (_, { signal } = {}) =>
      new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
    logits: async (ids) => Float32Array.from(ids),
    encode: async (text) => [...text].map((letter) => letter.charCodeAt(0)),
    decode: async (ids) => String.fromCharCode(...ids),
    dispose: () => {
      seen.disposed = true;
    },
    ...replace,
  } satisfies Model;
  const worker = Object.assign(new EventTarget(), {
    terminate: () => {
      seen.terminated = true;
    },
    postMessage: ({ port }: Opening) =>
      serve(port, async (_, options) => {
        seen.options = options;
        await load?.(options ?? {});
        return model;
      }),
  }) as unknown as Worker;
  return { worker, seen };
}

const open: Model[] = [];
afterEach(() => {
  for (const model of open.splice(0)) model.dispose();
});

async function loaded(...args: Parameters<typeof fakeWorker>) {
  const { worker, seen } = fakeWorker(...args);
  const model = await loadModelInWorker(undefined, { worker });
  open.push(model);
  return { model, worker, seen };
}

const idle = () => new Promise((resolve) => setTimeout(resolve, 60));

/** The error that a promise is rejected with. */
const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.fail("it was not rejected"),
    (error: Error) => error,
  );

test("facts, and calls that answer once", async () => {
  const { model } = await loaded();
  expect(model).toMatchObject({ config: { V: 9 }, adapter: { name: "fake" }, contextLength: 7 });
  expect(await model.encode("abc")).toEqual([97, 98, 99]);
  expect(await model.decode([97, 98])).toBe("ab");
  expect(await model.logits([1, 2])).toEqual(Float32Array.of(1, 2));
});

test("a list of adapters goes to the worker as it is", async () => {
  const asked: unknown[] = [];
  const { model } = await loaded(undefined, {
    logits: async (_, { adapter } = {}) => {
      asked.push(adapter);
      return Float32Array.of(1);
    },
  });
  const adapter = ["a", { name: "b", scale: 0.5 }];
  await model.logits([1], { adapter });
  expect(asked).toEqual([adapter]);
});

test("labels go to the worker with their options", async () => {
  let asked: unknown;
  const { model } = await loaded(undefined, {
    classify: async (text, labels, { signal, ...options } = {}) => {
      asked = { text, labels, options, aborts: signal !== undefined };
      return { label: labels[1]!, probabilities: {} as never, promptTokens: 3, cachedTokens: 0 };
    },
  });
  const verdict = { flagged: true } as Moderation;
  const judge = await loaded(undefined, {
    moderate: async (text, { kind } = {}) => (text === "x" && kind === "answer" ? verdict : {}) as Moderation,
  });
  expect(await judge.model.moderate("x", { kind: "answer" })).toEqual(verdict);
  const { signal } = new AbortController();
  const { label } = await model.classify("text", ["a", "b"], { raw: true, signal });
  expect(label).toBe("b");
  expect(asked).toEqual({ text: "text", labels: ["a", "b"], options: { raw: true }, aborts: true });
});

test("a schema of zod goes to the worker as JSON Schema, and checks the value here", async () => {
  const asked: unknown[] = [];
  const { model } = await loaded(undefined, {
    async *chat(_messages, { format } = {}) {
      asked.push(format);
      yield { text: '{"age":', ids: [1] };
      yield { text: "7}", ids: [2], finish: { ...FINISH, reason: "stop" } };
    },
  });
  const Old = z.object({ age: z.number().transform((age) => age * 2) });
  const schema = expect.objectContaining({ type: "object", required: ["age"] });
  const format = { type: "json_schema", schema };
  const messages = [{ role: "user", content: "Hi" }] as const;
  expect((await model.extract(messages, Old)).value).toEqual({ age: 14 });
  const chunks: Chunk[] = [];
  for await (const chunk of model.chat(messages, { format: Old })) chunks.push(chunk);
  expect(asked).toEqual([format, format]);
  expect(chunks.map(({ text }) => text).join("")).toBe('{"age":7}');
});

test("bytes arrive as bytes, and options with their warnings", async () => {
  let asked: unknown;
  const { model } = await loaded(undefined, {
    restoreSession: async (session) => [...session],
    async *chat(_messages, options) {
      asked = options;
      yield { text: "", ids: [], finish: { ...FINISH, warnings: ["joined two turns"] } };
    },
  });
  expect(await model.restoreSession(Uint8Array.of(7, 8))).toEqual([7, 8]);
  const messages = [{ role: "assistant", content: "Once" }] as const;
  const chunks: Chunk[] = [];
  for await (const chunk of model.chat(messages, { continueFinalMessage: true })) chunks.push(chunk);
  expect(asked).toEqual({ continueFinalMessage: true });
  expect(chunks[0]?.finish?.warnings).toEqual(["joined two turns"]);
  const signal = new AbortController() as unknown as AbortSignal;
  expect(await failure(model.generate("a", { signal }).next())).toMatchObject({ parameter: "signal" });
});

describe("a stream", () => {
  test("gives every chunk in its order, two at a time side by side", async () => {
    const { model } = await loaded();
    const read = async () => {
      const chunks: Chunk[] = [];
      for await (const chunk of model.generate("a")) chunks.push(chunk);
      return chunks;
    };
    for (const chunks of await Promise.all([read(), read()])) {
      expect(chunks.map(({ ids }) => ids[0])).toEqual([...Array(20).keys()]);
      expect(chunks.at(-1)?.finish).toEqual(FINISH);
    }
  });

  test("tells the page of its progress while it runs", async () => {
    const told: unknown[] = [];
    async function* chat(_: unknown, options: GenerateOptions = {}): AsyncGenerator<Chunk, void, void> {
      options.onProgress?.({ total: 9, cached: 1, processed: 5 });
      yield { text: "Hi", ids: [1], finish: FINISH };
    }
    const { model } = await loaded(undefined, { chat: chat as Model["chat"] });
    const messages = [{ role: "user", content: "Hi" }] as const;
    for await (const _ of model.chat(messages, { onProgress: (progress) => told.push(progress) }));
    expect(told).toEqual([{ total: 9, cached: 1, processed: 5 }]);
  });

  test("does nothing until it is read, and is never far ahead of its reader", async () => {
    const { model, seen } = await loaded();
    const answer = model.generate("a");
    await idle();
    expect(seen.made).toBe(0);
    for (const taken of [1, 2, 3]) {
      await answer.next();
      await vi.waitFor(() => expect(seen.made).toBe(taken + CHUNKS_AHEAD), 10_000);
      await idle();
      expect(seen.made).toBe(taken + CHUNKS_AHEAD);
    }
  });

  test("ends in the worker when its reader leaves", async () => {
    const { model, seen } = await loaded();
    for await (const { ids } of model.chat([])) if (ids[0] === 1) break;
    expect(seen.ended).toBe(true);
    expect(seen.made).toBeLessThan(20);
  });

  test.each([true, false])("obeys a signal, aborted before it began: %s", async (before) => {
    const { model } = await loaded();
    const controller = new AbortController();
    if (before) controller.abort();
    const reasons: (string | undefined)[] = [];
    for await (const { finish } of model.generate("a", { signal: controller.signal })) {
      reasons.push(finish?.reason);
      controller.abort();
    }
    expect(reasons.at(-1)).toBe("abort");
    expect(reasons.length).toBeLessThan(20);
  });
});

describe("errors", () => {
  test.each([
    [CheckpointError, "CheckpointError"],
    [ContextLengthError, "ContextLengthError"],
    [DeviceError, "DeviceError"],
    [DeviceLostError, "DeviceLostError"],
    [ChatTemplateError, "ChatTemplateError"],
    [TokenizerError, "TokenizerError"],
    [RangeError, "RangeError"],
    [TypeError, "TypeError"],
    [Error, "Error"],
  ])("%o keeps its class, message and cause", async (Class, name) => {
    const options = { code: "html", cause: new TypeError("why") };
    const thrown: Error = Reflect.construct(Class, ["here: expected a, got b.", options]);
    const { worker, seen } = fakeWorker(() => Promise.reject(thrown));
    const error = await failure(loadModelInWorker(undefined, { worker }));
    expect(error).not.toBe(thrown);
    expect(Object.getPrototypeOf(error)).toBe(Class.prototype);
    expect(error).toMatchObject({ name, message: thrown.message, cause: { message: "why" } });
    expect(error.cause).toBeInstanceOf(TypeError);
    expect(seen.terminated).toBe(false);
  });

  test("one of a class unknown to the page arrives as the class that it extends", async () => {
    const { worker } = fakeWorker(() => Promise.reject(new WrongFileError("a.safetensors", "another file")));
    const error = await failure(loadModelInWorker(undefined, { worker }));
    expect(Object.getPrototypeOf(error)).toBe(CheckpointError.prototype);
    expect(error).toMatchObject({ name: "CheckpointError", message: "another file" });
  });

  test("a DOMException keeps its name; other thrown values become an Error", async () => {
    const { worker: quota } = fakeWorker(() =>
      Promise.reject(new DOMException("full", "QuotaExceededError")),
    );
    expect(await failure(loadModelInWorker(undefined, { worker: quota }))).toMatchObject({
      name: "QuotaExceededError",
      message: "full",
    });
    const { worker: text } = fakeWorker(() => Promise.reject("only text"));
    expect(await failure(loadModelInWorker(undefined, { worker: text }))).toMatchObject({
      message: "only text",
    });
  });

  test("of a stream arrive after its chunks", async () => {
    const generate = async function* () {
      yield { text: "one", ids: [1] };
      throw new RangeError("no more");
    };
    const { model } = await loaded(undefined, { generate });
    const texts: string[] = [];
    const error = await failure(
      (async () => {
        for await (const { text } of model.generate("a")) texts.push(text);
      })(),
    );
    expect(texts).toEqual(["one"]);
    expect(error).toBeInstanceOf(RangeError);
  });

  test("the caller's own abort reason is thrown, the same object", async () => {
    const { model } = await loaded();
    const controller = new AbortController();
    const scored = failure(model.score("a", { signal: controller.signal }));
    const reason = new Error("enough");
    controller.abort(reason);
    expect(await scored).toBe(reason);
  });

  test("values that cannot be cloned are refused at once", async () => {
    const { model, worker } = await loaded();
    expect(await failure(model.encode((() => "") as unknown as string))).toMatchObject({
      name: "DataCloneError",
    });
    expect(await model.encode("a")).toEqual([97]);
    const options = { worker, device: {} as GPUDevice };
    expect(await failure(loadModelInWorker(undefined, options))).toMatchObject({
      message: expect.stringMatching(/GPUDevice/),
    });
  });
});

test("progress calls the page's function, also when the model moves to a new device later", async () => {
  const { worker, seen } = fakeWorker(async ({ onProgress }) => {
    for (const done of [1, 2]) onProgress?.({ stage: "load", name: "tensor", loaded: done, total: 2 });
  });
  const progress: number[] = [];
  const onProgress = ({ loaded }: { readonly loaded: number }) => progress.push(loaded);
  const model = await loadModelInWorker(undefined, { worker, weights: "q4", onProgress });
  open.push(model);
  expect(progress).toEqual([1, 2]);
  seen.options?.onProgress?.({ stage: "load", name: "tensor", loaded: 1, total: 2 });
  await model.encode("a");
  expect(progress).toEqual([1, 2, 1]);
  expect(seen.options?.weights).toBe("q4");
});

describe("the end of a worker", () => {
  test("before it has loaded: loading fails", async () => {
    let load = () => {};
    const { worker, seen } = fakeWorker(
      () =>
        new Promise((resolve) => {
          load = resolve;
        }),
    );
    const error = failure(loadModelInWorker(undefined, { worker }));
    await vi.waitFor(() => expect(seen.options).toBeDefined(), 10_000);
    worker.dispatchEvent(new Event("error"));
    expect(await error).toMatchObject({ message: expect.stringMatching(/expected it to start/) });
    // The worker was alive after all.
    load();
    await vi.waitFor(() => expect(seen.disposed).toBe(true), 10_000);
  });

  test.each(["error", "messageerror"])("by %s: pending and later calls fail", async (event) => {
    const { model, worker } = await loaded();
    const pending = failure(model.score("a"));
    const answer = model.generate("a");
    await answer.next();
    worker.dispatchEvent(new Event(event));
    expect(await pending).toBeInstanceOf(DeviceLostError);
    const rest = async () => {
      for (;;) if ((await answer.next()).done) return;
    };
    expect(await failure(rest())).toBeInstanceOf(DeviceLostError);
    expect(await failure(model.encode("a"))).toBeInstanceOf(DeviceLostError);
  });
});

test("dispose() ends pending calls; a worker passed by the caller keeps running", async () => {
  const { model, worker, seen } = await loaded();
  const pending = failure(model.score("a"));
  model.dispose();
  expect(await pending).toMatchObject({
    name: "DeviceLostError",
    message: expect.stringMatching(/disposed/),
  });
  model.dispose();
  for (const [name, call] of Object.entries(EVERY_CALL))
    expect(await failure(call(model)), name).toMatchObject(DISPOSED);
  await vi.waitFor(() => expect(seen.disposed).toBe(true), 10_000);
  expect(seen.terminated).toBe(false);
  open.push(await loadModelInWorker(undefined, { worker }));
});

test("without Worker the error says what to use", async () => {
  expect(await failure(loadModelInWorker())).toMatchObject({
    message: expect.stringMatching(/Use loadModel/),
    code: "no-worker",
  });
});
