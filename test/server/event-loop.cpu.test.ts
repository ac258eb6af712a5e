// One client's long text must not block the event loop for the others. The measured gap is the longest time
// that a timer waits, in processor time, so that other programs on the machine do not count.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { LoadedModel, type ModelParts } from "../../engine/model.ts";
import type { Model } from "../../engine/node.ts";
import { fakeModel, plan } from "../fake-model.ts";
import { openTiny } from "../tokenizer/fixtures.ts";
import { serving } from "./serving.ts";

const CONTEXT = 4_000_000;
/** The goal is 50 ms; test machines are slow and busy. Without slices these take seconds. */
const LONGEST_GAP = 150;
const config = { V: 2048, W: null, maxPositions: CONTEXT, eosTokenIds: [2] };

/** The engine's tokenizer with a fake model's answers. */
function reader(): Model {
  const parts = {
    checkpoint: { config, source: { name: "tiny" } },
    tokenizer: openTiny(),
    recovery: { last: { plan: { ...plan, contextLength: CONTEXT, rings: 0 } }, check: () => {} },
  } as unknown as ModelParts;
  const real = new LoadedModel(parts);
  const { model } = fakeModel({ pieces: Array<string>(100_000).fill("a "), before: () => sleep(5) });
  const { generate } = model;
  return Object.assign(model, {
    contextLength: CONTEXT,
    config,
    // Its log would contain the prompt.
    chat: (_: unknown, options: object) => generate("Hello", options),
    generate: (_: unknown, options: object) => generate("Hello", options),
    encode: real.encode.bind(real),
    encodeChat: real.encodeChat.bind(real),
    decode: real.decode.bind(real),
  });
}

/** The longest time that a timer waits while `work` runs, in milliseconds. */
async function gapDuring(work: Promise<unknown>): Promise<number> {
  let working = true;
  const done = work.finally(() => {
    working = false;
  });
  let longest = 0;
  while (working) {
    const [start, before] = [performance.now(), process.cpuUsage()];
    await sleep(1);
    const { user, system } = process.cpuUsage(before);
    longest = Math.max(longest, Math.min((user + system) / 1000, performance.now() - start));
  }
  await done;
  return longest;
}

const MB = 2 ** 20;
const words = "Once upon a time, there was a little cat. ".repeat((2 * MB) / 42);
/** The most that a body may have. */
const ids = Array<number>(MB / 2 - 8).fill(300);
const unending = "a".repeat(MB);
const marked = "[INST]<s>".repeat(MB / 9);

const requests: Record<string, [path: string, body: object, times?: number]> = {
  "a text for its tokens": ["/v1/tokenize", { input: words }],
  "one unending word": ["/v1/tokenize", { input: unending }],
  "characters that are not known": ["/v1/tokenize", { input: "\u{1f431}".repeat(MB / 8) }],
  "tokens for their text": ["/v1/detokenize", { tokens: ids }],
  "a completion": ["/v1/completions", { prompt: words, max_tokens: 1 }],
  "a completion of token ids": ["/v1/completions", { prompt: ids, max_tokens: 1 }],
  "a chat": ["/v1/chat/completions", { messages: [{ role: "user", content: words }], max_tokens: 1 }],
  "a chat full of control tokens": [
    "/v1/chat/completions",
    { messages: [{ role: "user", content: marked }], max_tokens: 1 },
  ],
  "a prompt for Workers AI": ["/client/v4/accounts/a/ai/run/paper", { prompt: words, max_tokens: 1 }],
  "eight at once": ["/v1/tokenize", { input: words.slice(0, MB / 4) }, 8],
};

describe("a stream continues during", () => {
  test.each(Object.entries(requests))("%s", async (_, [path, body, times = 1]) => {
    const server = await serving(reader(), { parallel: 4, limits: { bodyBytes: 16 * MB } });
    const leave = new AbortController();
    const stream = await server.post(
      "/v1/chat/completions",
      { messages: [{ role: "user", content: "Hello" }], stream: true, max_tokens: 100_000 },
      { signal: leave.signal },
    );
    const sent = new TextEncoder().encode(JSON.stringify(body));
    await server.post("/v1/tokenize", { input: "warm" });
    const answers = Promise.all(
      Array.from({ length: times }, async () => {
        const answer = await server.post(path, sent);
        const bytes = await answer.arrayBuffer();
        return [answer.status, answer.status === 200 ? "" : new TextDecoder().decode(bytes)];
      }),
    );
    const gap = await gapDuring(answers);
    leave.abort();
    await stream.text().catch(() => {});
    expect(await answers).toEqual(Array(times).fill([200, ""]));
    console.log(`longest gap ${gap.toFixed(0)} ms`);
    expect(gap).toBeLessThan(LONGEST_GAP);
  });
});
