// A file is hashed in a worker: backlog, failures, the end. The worker is the real script, on this thread.
import { createHash, randomBytes } from "node:crypto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openWorkerHash } from "../../engine/hash-client.ts";

const bytes = new Uint8Array(randomBytes(1000));
const digest = createHash("sha256").update(bytes).digest("hex");

/** Answers only the first `answers` requests. */
let answers: number;
let starts: boolean;
let ended: number;
let current: FakeWorker;
let answer: (request: unknown) => void;

class FakeWorker extends EventTarget {
  constructor() {
    super();
    current = this;
    if (!starts) queueMicrotask(() => this.dispatchEvent(new Event("error")));
  }
  postMessage(data: unknown): void {
    if (starts && answers-- > 0) answer(data);
  }
  terminate(): void {
    ended++;
  }
}

beforeEach(async () => {
  [answers, starts, ended] = [Infinity, true, 0];
  vi.stubGlobal("Worker", FakeWorker);
  vi.stubGlobal("location", new URL(import.meta.url));
  vi.stubGlobal("addEventListener", (_: string, listener: (event: { data: unknown }) => void) => {
    answer = (data) => listener({ data });
  });
  vi.stubGlobal("postMessage", (data: unknown) =>
    current.dispatchEvent(new MessageEvent("message", { data })),
  );
  vi.resetModules();
  await import("../../engine/hash-worker.ts");
});
afterEach(() => vi.unstubAllGlobals());

test("the digest and the state, whatever the caller does with its bytes", async () => {
  const hash = await openWorkerHash();
  const piece = bytes.slice(0, 700);
  await hash.update(piece);
  piece.fill(0);
  const state = await hash.state();
  await hash.update(bytes.subarray(700));
  expect([hash.length, await hash.digest()]).toEqual([1000, digest]);
  const resumed = await openWorkerHash(state, 700);
  await resumed.update(bytes.subarray(700));
  expect([resumed.length, await resumed.digest()]).toEqual([1000, digest]);
});

test("four pieces may wait; the fifth waits for the first", async () => {
  const hash = await openWorkerHash();
  answers = 0;
  for (let i = 0; i < 4; i++) await hash.update(bytes);
  let taken = false;
  const fifth = hash.update(bytes).then(() => {
    taken = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(taken).toBe(false);
  current.dispatchEvent(new MessageEvent("message", {}));
  await fifth;
});

test("a worker that fails, or is closed, fails what waits for it and all later calls", async () => {
  for (const end of ["error", "close"]) {
    const hash = await openWorkerHash();
    answers = 0;
    const waiting = expect(hash.digest()).rejects.toMatchObject({ code: "no-worker" });
    if (end === "close") hash.close();
    else current.dispatchEvent(new Event("error"));
    await waiting;
    await expect(hash.digest()).rejects.toMatchObject({ code: "no-worker" });
    answers = Infinity;
  }
  expect(ended).toBe(2);
});

test("without a worker, the caller's thread hashes", async () => {
  starts = false;
  const hash = await openWorkerHash();
  await hash.update(bytes);
  expect(await hash.digest()).toBe(digest);
  expect(ended).toBeGreaterThan(0);
});
