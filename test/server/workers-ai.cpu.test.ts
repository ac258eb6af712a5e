// Workers AI's route with a fake model: Cloudflare's envelope and its events, whole, streamed and refused.
import { describe, expect, test } from "vitest";
import { ChatTemplateError } from "../../engine/node.ts";
import { Ai, AiError, type AiTextGenerationInput } from "../../engine/workers-ai.ts";
import type { ServiceOptions } from "../../server/index.ts";
import { type FakeModelOptions, failAt, fakeModel } from "../fake-model.ts";
import { eventsOf, gate, serving, until } from "./serving.ts";

const MODEL = "@cf/mistral/mistral-7b-instruct-v0.1";
const PATH = `/client/v4/accounts/0123abcd/ai/run/${MODEL}`;
const KEY = { Authorization: "Bearer secret" };
/** "Cat?" and the beginning of its sequence. */
const USAGE = { prompt_tokens: 5, completion_tokens: 4, total_tokens: 9 };

async function serve(paper: FakeModelOptions = {}, options: Partial<ServiceOptions> = {}) {
  const { model, calls, running } = fakeModel(paper);
  const given = { aliases: ["@cf/own/name"], keys: ["secret"], contextLength: 100, ...options };
  const server = await serving(model, given);
  const run = (body: unknown, init: RequestInit = {}, path = PATH) =>
    server.post(path, body, { headers: KEY, ...init });
  const ai = new Ai({ baseURL: `${server.url}/client/v4`, apiToken: "secret" });
  return { ...server, model, calls, running, run, ai };
}

const refused = (code: number, message: unknown) => ({
  ...{ result: null, success: false },
  ...{ errors: [{ code, message }], messages: [] },
});

test("an answer, in Cloudflare's envelope", async () => {
  const { run, calls, log } = await serve();
  const response = await run({ prompt: "Cat?" });
  expect([response.status, await response.json()]).toEqual([
    200,
    {
      ...{ result: { response: "There was a cat.", usage: USAGE } },
      ...{ success: true, errors: [], messages: [] },
    },
  ]);
  expect(calls).toMatchObject([{ prompt: "Cat?", options: { temperature: 0.6 } }]);
  await until(() => log.length === 1, "the log");
  const route = "/client/v4/accounts/:account/ai/run/:model{.+}";
  expect(log[0]).toMatchObject({ route, status: 200, promptTokens: 5, completionTokens: 4 });
  expect(log[0]).not.toHaveProperty("prompt");
});

test("the model's name and its aliases, with slashes", async () => {
  const { run } = await serve();
  for (const name of ["paper", "@cf/own/name", "%40cf%2Fown%2Fname"])
    expect((await run({ prompt: "Cat?" }, {}, PATH.replace(MODEL, name))).status).toBe(200);
});

test("a stream: an event for each piece, one with the usage, and [DONE]", async () => {
  const { run } = await serve();
  const response = await run({ prompt: "Cat?", stream: true });
  expect(response.headers.get("Content-Type")).toMatch(/^text\/event-stream/);
  expect(eventsOf(await response.text())).toEqual([
    ...["There ", "was ", "a ", "cat."].map((piece) => ({ response: piece })),
    { response: "", usage: USAGE },
    "[DONE]",
  ]);
});

test("Ai over HTTP gives the same answers and refusals as Ai on the model", async () => {
  const { ai, model, calls } = await serve();
  const own = new Ai(model);
  const input = { messages: [{ role: "user", content: "Cat?" }], max_tokens: 3, seed: 3 } as const;
  expect(await ai.run(MODEL, input)).toEqual(await own.run(MODEL, input));
  const streams = [ai, own].map((each) => each.run(MODEL, { ...input, stream: true }));
  const [there, here] = await Promise.all(streams.map(async (each) => new Response(await each).text()));
  expect(there).toBe(here);
  expect(calls.length).toBe(4);
  for (const { prompt, options } of calls)
    expect([prompt, options]).toMatchObject(["Cat?", { maxTokens: 3, seed: 3, temperature: 0.6 }]);
  for (const wrong of [{ prompt: "Hi", top_k: 0 }, { prompt: "Hi", lora: "x" }, {}]) {
    const [over, on] = await Promise.all(
      [ai, own].map((each) =>
        each.run(MODEL, wrong as AiTextGenerationInput).catch((error: unknown) => error),
      ),
    );
    expect(over).toBeInstanceOf(AiError);
    const { code, status, message } = on as AiError;
    expect(over).toMatchObject({ code, status, message });
  }
});

describe("errors, in Cloudflare's envelope", () => {
  const other = PATH.replace("v0.1", "v0.2");
  test.each<[string, unknown, RequestInit, string, number, number, RegExp]>([
    ["no key", { prompt: "Hi" }, { headers: {} }, PATH, 401, 10000, /valid key/],
    ["a wrong key", {}, { headers: { Authorization: "Bearer secre" } }, PATH, 401, 10000, /valid key/],
    ["another model", { prompt: "Hi" }, {}, other, 400, 5007, /expected paper, @cf\/own\/name, got/],
    ["another route", {}, {}, "/client/v4/user", 404, 7000, /Unknown route: POST \/client\/v4\/user/],
    ["another method", "{}", { method: "PUT" }, PATH, 405, 7001, /^PUT .*: expected POST/],
    [
      "a page elsewhere",
      {},
      { headers: { ...KEY, Origin: "http://a.example" } },
      PATH,
      403,
      10000,
      /^Origin/,
    ],
    ["no JSON", "{", {}, PATH, 400, 5006, /expected JSON/],
    ["no object", [1], {}, PATH, 400, 5006, /Body/],
    ["a number out of range", { prompt: "Hi", top_k: 51 }, {}, PATH, 400, 5006, /^top_k: expected .* got 51/],
    [
      "what is not supported",
      { prompt: "Hi", functions: [{}] },
      {},
      PATH,
      400,
      5006,
      /^functions: expected none/,
    ],
    ["a LoRA", { prompt: "Hi", lora: "finetune" }, {}, PATH, 400, 5006, /^lora: expected none, as none/],
    ["too long an answer", { prompt: "Hi", max_tokens: 500 }, {}, PATH, 400, 5021, /100 tokens.* 3 .* 500/],
    ["too long a prompt", { prompt: "x".repeat(1900) }, {}, PATH, 400, 5021, /no text of 1900/],
    ["too long a body", { prompt: "x".repeat(3000) }, {}, PATH, 413, 3006, /at most 2000 bytes/],
  ])("%s", async (_, body, init, path, status, code, message) => {
    const { run, calls } = await serve({}, { limits: { bodyBytes: 2000 } });
    const response = await run(body, init, path);
    expect([response.status, await response.json()]).toEqual([
      status,
      refused(code, expect.stringMatching(message)),
    ]);
    expect(calls).toEqual([]);
  });

  test("the default of 256 tokens is cut to the context without an error", async () => {
    const { run, calls } = await serve();
    expect((await run({ prompt: "Cat?" })).status).toBe(200);
    expect(calls[0]?.options.maxTokens).toBe(100 - 5 + 1);
    expect((await run({ prompt: "Cat?", max_tokens: 96 })).status).toBe(200);
    expect((await run({ prompt: "Cat?", max_tokens: 97 })).status).toBe(400);
    const { run: roomy, calls: more } = await serve({}, { contextLength: 1000 });
    expect((await roomy({ prompt: "Cat?" })).status).toBe(200);
    expect(more[0]?.options.maxTokens).toBe(256);
  });

  test("a full queue, with a time to retry", async () => {
    const { wait, open } = gate();
    const { run, running } = await serve({ before: wait }, { parallel: 1, queue: 0 });
    const first = run({ prompt: "Hi" });
    await until(() => running() === 1, "an answer that runs");
    const second = await run({ prompt: "Hi" });
    expect([second.status, await second.json()]).toEqual([
      429,
      refused(3040, expect.stringMatching(/queue/)),
    ]);
    expect(second.headers.get("Retry-After")).toMatch(/^\d+$/);
    open();
    expect((await first).status).toBe(200);
  });

  test("internal errors are shown only in the server's log", async () => {
    const { run, log } = await serve({ before: failAt(0, new Error("secret of the inside")) });
    const response = await run({ prompt: "Hi" });
    expect([response.status, await response.json()]).toEqual([
      500,
      refused(3043, expect.not.stringContaining("inside")),
    ]);
    await until(() => log.length === 1, "the log");
    expect(log[0]?.["error"]).toMatch(/secret of the inside/);
  });

  test("a model without a chat template", async () => {
    const error = new ChatTemplateError("chat: expected a template.", { code: "no-chat-template" });
    const { run } = await serve({ before: failAt(0, error) });
    const response = await run({ prompt: "Hi" });
    expect([response.status, await response.json()]).toEqual([
      400,
      refused(5006, "chat: expected a template."),
    ]);
  });

  test("a stream that fails in the middle says so in its last event", async () => {
    const { run } = await serve({ before: failAt(1) });
    const events = eventsOf(await (await run({ prompt: "Hi", stream: true })).text());
    expect(events).toEqual([{ response: "There " }, refused(3043, expect.any(String))]);
  });
});

test("a reader that leaves ends the answer and frees its place", async () => {
  const { wait } = gate();
  const { ai, calls, running, service } = await serve({
    before: (piece) => (piece < 2 ? undefined : wait()),
  });
  const reader = (await ai.run(MODEL, { prompt: "Hi", stream: true })).getReader();
  await reader.read();
  expect([running(), service.admission.running]).toEqual([1, 1]);
  await reader.cancel();
  await until(() => running() === 0 && service.admission.running === 0, "a place that is free");
  expect(calls[0]?.pieces).toBe(2);
});
