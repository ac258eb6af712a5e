// A hundred concurrent clients, a thousand requests of mixed length, some of them aborted, slow or hostile:
// every answer is right, none is lost, no memory or place leaks. The model is fake; load.test.ts uses a real
// one.
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { random } from "../../bench/prompts.ts";
import { type Listening, listen } from "../../server/listen.ts";
import { createService, type Service } from "../../server/service.ts";
import type { FakeCall } from "../fake-model.ts";
import * as behaviours from "./load/behaviours.ts";
import { Client, events } from "./load/client.ts";
import * as hostile from "./load/hostile.ts";
import { ENDLESS, paperModel, paperText, WIDE } from "./load/paper-model.ts";
import { round } from "./load/round.ts";

const KEY = "correct-horse-battery-staple-42";
const CLIENTS = 100;
const PARALLEL = 8;
/** The first one warms up code, connections and histograms. */
const ROUNDS = [400, 200, 200, 200];

/** A request that takes longer counts as lost. A busy machine may need seconds. */
const LATE_MS = 40_000;

/** How many of a hundred requests. */
const MIX: readonly (readonly [share: number, name: string, behaviour: behaviours.Behaviour])[] = [
  [26, "whole", behaviours.whole],
  [30, "stream", behaviours.stream],
  [6, "slow", behaviours.slow],
  [6, "cut", behaviours.cut],
  [4, "cut whole", behaviours.cutWhole],
  [2, "cut upload", behaviours.cutUpload],
  [7, "wrong key", hostile.wrongKey(KEY)],
  [2, "huge body", hostile.hugeBody],
  [1, "huge body, wrong key", hostile.hugeAndWrong],
  [2, "deep JSON", hostile.deepJson],
  [2, "bad UTF-8", hostile.badUtf8],
  [2, "header flood", hostile.headerFlood],
  [2, "no JSON", hostile.notJson],
  [2, "wrong values", hostile.wrongValues],
  [1, "negative", hostile.negative],
  [1, "not known", hostile.notKnown],
  [1, "too many", hostile.tooMany],
  [2, "too long", hostile.tooLong],
  [1, "no route", hostile.noRoute],
];

const { model, calls, running, mostRunning } = paperModel();
let service: Service;
let server: Listening;
const collect = exposeGc();

beforeAll(async () => {
  service = createService(model, { name: "paper", keys: ["another", KEY], parallel: PARALLEL, queue: 32 });
  server = await listen(service, { host: "127.0.0.1", port: 0 });
});

afterAll(async () => {
  await server.close({ drainMs: 1000 });
});

/** A hundred requests; any hundred in a row contain each once. */
const deck = MIX.flatMap(([share, ...card]) => Array.from({ length: share }, () => card));
let asked = 0;
let refusals = 0;

const refused = () => {
  refusals++;
};

/** The next request of the mix. */
async function one(client: Client): Promise<string | undefined> {
  const index = asked++;
  const next = random(index);
  const [name, behaviour] = deck[(index * 37) % deck.length]!;
  const prompt = `request ${index} ${"word ".repeat(Math.floor(200 * next() ** 3))}?`;
  const maxTokens = 1 + Math.floor(next() * 48);
  const seed = Math.floor(next() * 1000);
  const expected = paperText(prompt, maxTokens, seed);
  const task = { client, prompt, maxTokens, seed, expected, chat: next() < 0.5, refused };
  const late = new AbortController();
  const ended = behaviour(task).catch((error: Error) => `${name}: ${error.message}`);
  const answered = await Promise.race([
    ended,
    sleep(LATE_MS, `${name}: nothing came of ${prompt.slice(0, 12)} within ${LATE_MS} ms`, late),
  ]);
  late.abort();
  return answered;
}

/** Runs requests on clients that are created for them. */
const clients = (): Client[] => Array.from({ length: CLIENTS }, () => new Client(server.url, KEY));

const sockets = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;

test("a thousand requests of a hundred clients: all answers are right, and nothing leaks", async () => {
  const trickling = Array.from({ length: 5 }, () => new Client(server.url, KEY).trickle(60_000));
  const heap: number[] = [];
  for (const requests of ROUNDS) {
    const wrong = await round(clients(), requests, one);
    expect(wrong.slice(0, 5), `${wrong.length} of ${requests} went wrong`).toEqual([]);
    // Aborted answers need a step to notice it.
    await expect.poll(running, { timeout: 2000 }).toBe(0);
    await expect.poll(() => service.lifecycles.size, { timeout: 2000 }).toBe(0);
    expect(service.admission).toMatchObject({ running: 0, waiting: 0, open: true });
    // Both ends of the bytewise requests may still be open.
    await expect.poll(sockets, { timeout: 2000 }).toBeLessThanOrEqual(2 * trickling.length);
    // Requests need not be kept; the test keeps only these.
    checkAnswers(calls.splice(0));
    heap.push(await collect());
  }
  expect(mostRunning()).toBeLessThanOrEqual(PARALLEL);
  expect(mostRunning()).toBeGreaterThan(PARALLEL / 2);
  expect(deck.length).toBe(100);
  console.log(`heap after each round, MB: ${heap.map((bytes) => (bytes / 1e6).toFixed(2)).join(" ")}`);
  // Warming code takes about 100 kB a round. A leak of 3 kB a request would be detected.
  expect(heap.at(-1)! - heap[1]!).toBeLessThan(1_000_000);
  expect(refusals, "more are asked for than there are places").toBeGreaterThan(0);
  for (const cutOff of await Promise.all(trickling)) expect(cutOff, "bytewise").toBeGreaterThan(0);
}, 240_000);

/** No aborted answer was generated to its end. */
function checkAnswers(answers: readonly FakeCall[]): void {
  const endless = answers.filter(({ prompt }) => prompt.startsWith(ENDLESS));
  expect(endless.length).toBeGreaterThan(0);
  for (const { end, pieces } of endless) {
    expect(end).toMatch(/^(abort|left)$/);
    // A client reads five tokens, or waits for 40 ms; the rest is the delay of a busy event loop.
    expect(pieces).toBeLessThan(1000);
  }
}

describe("keys", () => {
  test("only the exact key is accepted, however similar another is", async () => {
    const client = new Client(server.url, KEY);
    const before = calls.length;
    const body = JSON.stringify({ messages: [{ role: "user", content: "let me in" }] });
    for (const path of ["/v1/chat/completions", "/v1/completions", "/v1/models", "/v1/tokenize"])
      for (const authorization of hostile.wrongKeys(KEY)) {
        const { status } = await client.post({ path, body, headers: { authorization } });
        expect(status, `${path} "${authorization}"`).toBe(401);
      }
    expect(calls.length).toBe(before);
    const { status } = await client.post({ path: "/v1/chat/completions", body });
    expect(status).toBe(200);
    client.close();
  });
});

test("a reader that stops costs bounded memory, and does not slow the others", async () => {
  const [stuck, other] = [new Client(server.url, KEY), new Client(server.url, KEY)];
  const response = await stuck.open({
    path: "/v1/chat/completions",
    body: JSON.stringify({ messages: [{ role: "user", content: WIDE }], max_tokens: 3000, stream: true }),
  });
  await events(response).next();
  const answer = calls.find(({ prompt }) => prompt === WIDE)!;
  const quick = paperText("quick", 5);
  for (let i = 0; i < 10; i++) {
    const began = performance.now();
    const task = { client: other, prompt: "quick", maxTokens: 5, seed: 0, expected: quick, chat: true };
    expect(await behaviours.whole(task)).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(5000);
  }
  // The whole answer is 48 MB; the machine's sockets hold some of it.
  const stalled = async () => {
    const before = answer.pieces;
    await sleep(300);
    return answer.pieces === before;
  };
  await expect.poll(stalled, { timeout: 8000 }).toBe(true);
  expect(answer).toMatchObject({ end: undefined });
  expect(answer.pieces).toBeLessThan(2000);
  response.destroy();
  stuck.close();
  await expect.poll(() => running()).toBe(0);
  other.close();
});

/** Bytes in use after garbage collection. */
function exposeGc(): () => Promise<number> {
  setFlagsFromString("--expose-gc");
  const gc: () => void = runInNewContext("gc");
  return async () => {
    for (let i = 0; i < 4; i++) {
      // Let pending callbacks, such as the end of a socket, run first.
      await sleep(20);
      gc();
    }
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
}
