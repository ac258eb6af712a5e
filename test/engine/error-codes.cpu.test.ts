// Every error code: its cause, and that an error arrives from a worker as it was thrown.
import { readFileSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import { type Generation, generate } from "../../engine/answer/generate.ts";
import type { AdapterDescription } from "../../engine/api.ts";
import { launch, Pipelines } from "../../engine/gpu/dispatch.ts";
import { borrowDevice, openDevice } from "../../engine/gpu/gpu.ts";
import { type ErrorCode, httpSource, loadModelInWorker, type Source } from "../../engine/node.ts";
import { outOfRange, unsupported, wrongType } from "../../engine/options/parameter.ts";
import { planModel } from "../../engine/resident/plan.ts";
import { decodeSession } from "../../engine/session/session.ts";
import { takeLease } from "../../engine/store/lock.ts";
import { OpfsStore } from "../../engine/store/store.ts";
import { Connection } from "../../engine/worker/connection.ts";
import type { Opening } from "../../engine/worker/protocol.ts";
import { serve } from "../../engine/worker/server.ts";
import { copy } from "../../kernels/copy.ts";
import { messageReads } from "../../scripts/prose.mjs";
import { renderChat } from "../../tokenizer/chat-template.ts";
import { Tokenizer } from "../../tokenizer/index.ts";
import { CachedSource, folderSource, openCheckpoint } from "../../weights/node.ts";
import { fakeModel } from "../fake-model.ts";
import { filesOf, memorySource } from "../weights/memory-source.ts";

const TINY = "weights/tiny-mistral";
afterEach(() => vi.unstubAllGlobals());

/** Reads a file from a server that gives this answer. */
const fetched = (answer: () => Response, file = "config.json") => {
  const source = httpSource("http://there.test/", {
    fetch: async () => answer(),
    retries: 1,
    retryDelayMs: 1,
  });
  return source.read(file, 0, 1);
};
const status = (code: number) => () => fetched(() => new Response(null, { status: code }));

/** A device whose error scopes and `lost` a test sets. */
function fakeGpu(parts: object) {
  const device = Object.assign(new EventTarget(), {
    lost: new Promise(() => {}),
    ...{ features: new Set(), limits: {}, adapterInfo: { device: "fake" } },
    ...{ pushErrorScope() {}, popErrorScope: async () => null, createShaderModule: () => ({}) },
    ...parts,
  });
  return borrowDevice(device as unknown as GPUDevice);
}
const withScope = (error: object) =>
  fakeGpu({ popErrorScope: async () => Object.assign(error, { message: "no" }) }).scoped(() => undefined);

const tokenizerJson = JSON.parse(readFileSync(`${TINY}/tokenizer.json`, "utf8"));
const adapter = {
  name: "small",
  features: [],
  maxBindingBytes: 1000,
  maxBufferBytes: 1e9,
} as unknown as AdapterDescription;
const hello = [{ role: "user", content: "Hello" }] as const;

const CAUSES: Readonly<Record<Exclude<ErrorCode, "quota">, () => unknown>> = {
  "not-found": status(404),
  forbidden: status(403),
  html: () => fetched(() => new Response("<html>", { headers: { "content-type": "text/html" } })),
  http: status(503),
  offline: () =>
    fetched(() => {
      throw new TypeError("fetch failed");
    }),
  "damaged-file": () => fetched(() => new Response("ab", { headers: { "content-length": "3" } })),
  "changed-source": async () => {
    const source = (size: number): Source => ({
      ...memorySource({ "config.json": new Uint8Array(size) }),
      version: async () => String(size),
    });
    const kept = await CachedSource.open(source(4), new Uint8Array());
    await kept.read("config.json", 0, 2);
    const again = await CachedSource.open(source(5), await kept.encode());
    return again.read("config.json", 0, 4);
  },
  "bad-checkpoint": () =>
    openCheckpoint(memorySource({ ...filesOf(TINY), "config.json": new TextEncoder().encode("{}") })),
  "bad-tokenizer": () => Tokenizer.from({ tokenizer: {} }),
  "no-chat-template": () => Tokenizer.from({ tokenizer: tokenizerJson }).encodeChat(hello),
  "bad-chat-template": () => renderChat("{% if %}", hello),
  "refused-messages": () => renderChat("{{ raise_exception('no') }}", hello),
  "wrong-type": () => {
    throw wrongType("n", "expected a number.");
  },
  "out-of-range": () => {
    throw outOfRange("n", "expected less.");
  },
  unsupported: () => {
    throw unsupported("n", "n: expected none.");
  },
  "no-webgpu": () => openDevice(undefined),
  "no-adapter": () => openDevice({ requestAdapter: async () => null } as unknown as GPU),
  "no-worker": () => loadModelInWorker(),
  "out-of-memory": () => withScope(new (class GPUOutOfMemoryError {})()),
  "command-refused": () => withScope({}),
  "kernel-refused": () => {
    const createComputePipelineAsync = async () => {
      throw new Error("it does not compile");
    };
    const { device } = fakeGpu({ createComputePipelineAsync });
    const buffers = [{ size: 1e6 }, { size: 1e6 }] as GPUBuffer[];
    return Pipelines.of(device).prepare(launch(copy, { words: 64 }, ...buffers));
  },
  "adapter-limit": async () => planModel(await openCheckpoint(folderSource(TINY)), adapter, {}),
  "device-lost": async () => {
    const gpu = fakeGpu({ lost: Promise.resolve({ reason: "unknown", message: "" }) });
    await Promise.resolve();
    gpu.check();
  },
  disposed: async () => {
    const { model } = await inWorker();
    model.dispose();
    return model.encode("a");
  },
  "context-length": () =>
    generate({ contextLength: 2, ids: [1, 2, 3, 4] } as unknown as Generation, {}).next(),
  "cut-off": () =>
    fakeModel({ pieces: ["[1"], finish: () => ({ reason: "length" }) }).model.extract(hello, {}),
  "refused-value": () => {
    const refusing = {
      "~standard": {
        ...{ version: 1 as const, jsonSchema: { input: () => ({}) } },
        validate: () => ({ issues: [{ message: "no" }] }),
      },
    };
    return fakeModel({ pieces: ["1"] }).model.extract(hello, refusing);
  },
  "no-storage": () => OpfsStore.open({ ...memorySource({}), version: async () => "1" }, { store: true }),
  "in-use": () => {
    const request = async () => {
      throw new Error("held");
    };
    vi.stubGlobal("navigator", { locks: { request } });
    return takeLease("model", false);
  },
  "taken-over": async () => {
    let steal = (): void => {};
    const request = (_name: string, _options: object, hold: () => unknown) => {
      hold();
      return new Promise((_, reject) => {
        steal = () => reject(new Error("stolen"));
      });
    };
    vi.stubGlobal("navigator", { locks: { request } });
    const { signal } = await takeLease("model", true);
    steal();
    await new Promise((resolve) => setTimeout(resolve));
    signal.throwIfAborted();
  },
  "bad-session": () =>
    decodeSession(new Uint8Array(100), { fingerprint: "", vocabulary: 9, bytesOf: () => 0 }),
};

/** Further causes of the same codes. */
const MORE_CAUSES: readonly [code: ErrorCode, what: string, cause: () => unknown][] = [
  [
    "no-worker",
    "a worker that does not start",
    () => {
      const worker = Object.assign(new EventTarget(), { postMessage() {}, terminate() {} });
      const loading = loadModelInWorker(undefined, { worker: worker as unknown as Worker });
      worker.dispatchEvent(new Event("error"));
      return loading;
    },
  ],
  [
    "unsupported",
    "a device for a worker",
    () => loadModelInWorker(undefined, { device: { createBuffer() {}, queue: {} } as unknown as GPUDevice }),
  ],
  [
    "device-lost",
    "a message that cannot be read",
    () => {
      const { port1 } = new MessageChannel();
      const connection = new Connection(port1);
      port1.dispatchEvent(new Event("messageerror"));
      port1.close();
      return connection.call("encode", ["a"]);
    },
  ],
  [
    "refused-messages",
    "a text with all private use characters",
    () => {
      const all = Array.from({ length: 6400 }, (_, i) => String.fromCharCode(0xe000 + i)).join("");
      return Tokenizer.from({ tokenizer: tokenizerJson }).encode(`<s>${all}`, { special: false });
    },
  ],
];

/** A model in a worker on this thread; its `encode` runs `cause`. */
async function inWorker(cause: () => unknown = () => []) {
  const worker = Object.assign(new EventTarget(), {
    terminate() {},
    postMessage: ({ port }: Opening) =>
      serve(port, async () => ({ encode: async () => cause(), dispose() {} }) as never),
  }) as unknown as Worker;
  return { model: await loadModelInWorker(undefined, { worker }) };
}

const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.fail("it was not rejected"),
    (error: Error) => error,
  );

test.each([...Object.entries(CAUSES).map(([code, cause]) => [code, "", cause] as const), ...MORE_CAUSES])(
  "%s, here and through a worker %s",
  async (code, _what, cause) => {
    const here = await failure((async () => cause())());
    expect(here).toMatchObject({ code });
    const { model } = await inWorker(cause);
    const there = await failure(model.encode("a"));
    model.dispose();
    const { name, message, ...own } = { ...here, name: here.name, message: here.message };
    expect(there).toMatchObject({ name, message, ...own });
  },
);

test("an HTTP status is kept with the code", async () => {
  for (const given of [404, 403, 503, 418])
    expect(await failure(status(given)())).toMatchObject({ status: given });
});

test("npm run check finds code that reads a message", () => {
  const reads = [
    ...["/memory/.test(error.message)", "message.includes('x')", "(error as Error).message!.match(/x/)"],
    ...[
      "String(error).startsWith('x')",
      "error?.message.toLowerCase().endsWith('x')",
      "error.message === ''",
    ],
    ...[`/x/.exec(\`\${error}\`)`, "message.replace(/x/, '')", "switch (error.message) {}"],
    ...["error['message'].includes('x')", "error.message.slice(0, 3) === 'abc'", "message[0] === 'x'"],
    ...["['x'].includes(error.message)", "known.has(error.message)"],
    ...["const text = error.message; text.includes('x')", "const { message: m } = e; /x/.test(m)"],
    "function f({ message: m = '' }) { return m.startsWith('x'); }",
  ];
  for (const source of reads) expect(messageReads("a.ts", source), source).toHaveLength(1);
  const others = [
    ...[
      "message.content.includes('x')",
      "text.match(/x/)",
      "error.message.slice(0, 9)",
      "error.name === 'x'",
    ],
    ...["const { message } = error", `new Error(\`\${where}: \${error.message}\`)`, "error.code === 'x'"],
    "{ const text = error.message; print(text); } { const text = read(); text.includes('x'); }",
  ];
  for (const source of others) expect(messageReads("a.ts", source), source).toEqual([]);
});
