// Weights in the origin's private file system: the second load needs no network, also if the first one broke.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { StoredModel } from "../../engine/index.ts";
import { folderSource, openCheckpoint } from "../../weights/node.ts";
import { type CountingServer, countingServer } from "./counting-server.ts";
import type { StorePage } from "./store-page.ts";
import {
  bytesOf,
  type Order,
  openStoreSite,
  order as orderOn,
  read,
  type StoreSite,
  storedModels,
} from "./store-site.ts";

declare const store: StorePage;

const SMALL = "test/golden/families/two_shards";
let site: StoreSite;
/** The embedded model, and one of 50 kB. */
let tiny: CountingServer;
let server: CountingServer;
/** Requests for the script of the worker that hashes. */
let hashWorkers = 0;
let noHashWorker = false;
let page: Page;

beforeAll(async () => {
  site = await openStoreSite((request, response) => {
    if (!request.url?.includes("hash-worker")) return false;
    hashWorkers++;
    if (!noHashWorker) return false;
    response.writeHead(404).end();
    return true;
  });
  tiny = await countingServer("weights/tiny-mistral");
  server = await countingServer(SMALL);
  page = await site.openPage();
});
afterAll(async () => {
  await site?.close();
  await tiny?.close();
  await server?.close();
});
beforeEach(async () => {
  await order({ call: "dispose" });
  await page.evaluate(() => store.deleteStoredModels());
  server.served = [];
  server.etag = undefined;
  server.page = undefined;
  server.wrong = undefined;
});

const order = (what: Order, killAt?: number, on = page) => orderOn(on, what, killAt);
const load = (options: NonNullable<Order["options"]> = {}, source = server.url, on = page) =>
  order({ call: "load", source, options: { weights: "q4", ...options } }, undefined, on);
/** The embedded model, on the GPU. */
const loadTiny = (options: NonNullable<Order["options"]> = {}) =>
  order({ call: "load", source: tiny.url, options, adapter: "webgpu" });
const stored = () => storedModels(page);

test("a killed load resumes where it stopped, and the next needs no network", async () => {
  const { url } = tiny;
  tiny.holdAfter = 5e6;
  await order({ call: "load", source: url, options: {}, adapter: "webgpu" }, 4e6);
  await setTimeout(500); // Its last requests must not count as the next load's.
  tiny.holdAfter = Infinity;
  const before = read(tiny.served);
  const [partial] = await stored();
  expect(partial).toMatchObject({ weights: "bf16", complete: false });
  expect(partial!.bytes).toBeGreaterThan(1e6);

  tiny.served = [];
  expect(await loadTiny()).toEqual({ result: { weights: "bf16" } });
  const after = read(tiny.served);
  const again = after.filter(({ file, start, end }) =>
    before.some((old) => old.file === file && old.start < end && start < old.end),
  );
  // Only tensors in transit or being stored: no small file, no header, nothing recorded as stored.
  expect(again.length).toBeLessThanOrEqual(3);
  expect(again.every(({ file, start }) => file.endsWith(".safetensors") && start > 8)).toBe(true);
  expect(bytesOf(after)).toBeLessThan(10.6e6 - partial!.bytes);
  const name = url.replace(/\/$/, "");
  expect(await stored()).toMatchObject([{ name, weights: "bf16", complete: true }]);
  const resumed = await order({ call: "logits" });
  const ids = await order({ call: "encode" });
  await order({ call: "dispose" });
  await loadTiny({ store: false });
  expect(await order({ call: "logits" })).toEqual(resumed);

  await page.close();
  page = await site.openPage();
  await tiny.close();
  expect(await loadTiny()).toEqual({ result: { weights: "bf16" } });
  expect(await order({ call: "logits" })).toEqual(resumed);
  expect(await order({ call: "encode" })).toEqual(ids);
  const plan = await page.evaluate((source) => store.planModel(source), url);
  expect(plan.weights).toBe("bf16");
});

test("of a damaged cache only the damaged tensor is fetched again", async () => {
  await load();
  const whole = await order({ call: "logits" });
  await order({ call: "dispose" });
  const [{ totalBytes }] = (await stored()) as [StoredModel];
  await page.evaluate((at) => store.flip("q4.safetensors", at), totalBytes - 100);
  server.served = [];
  await load();
  // The last tensor of the packed file, from either shard.
  const { tensors } = await openCheckpoint(folderSource(SMALL));
  const last = tensors.get("lm_head.weight") ?? tensors.get("model.norm.weight");
  expect(read(server.served)).toEqual([{ file: last!.file, start: last!.start, end: last!.end }]);
  expect(await order({ call: "logits" })).toEqual(whole);
  expect(await stored()).toMatchObject([{ complete: true }]);
});

test("a checkpoint that changed while partly stored is started again", async () => {
  server.holdAfter = 4e4;
  await order({ call: "load", source: server.url, options: { weights: "q4" } }, 3e4);
  await setTimeout(500);
  server.holdAfter = Infinity;
  expect(await stored()).toMatchObject([{ complete: false }]);
  server.served = [];
  server.etag = '"another"';
  expect(await load()).toEqual({ result: { weights: "q4" } });
  expect(bytesOf(server.served)).toBeGreaterThan(45_000);
  expect(await stored()).toMatchObject([{ complete: true }]);
});

test("after a server failed in the middle only the missing bytes are fetched", async () => {
  await load();
  const whole = bytesOf(server.served);
  await order({ call: "dispose" });
  await page.evaluate(() => store.deleteStoredModels());
  // The headers of both shards are already read: the second one's first tensor gets an HTML page.
  server.served = [];
  await order({ call: "load", source: server.url, options: { weights: "q4" } }, 1);
  server.page = "model-00002-of-00002.safetensors";
  expect(await load()).toMatchObject({
    error: { name: "CheckpointError", message: expect.stringMatching(/got an HTML page/) },
  });
  const [partial] = await stored();
  expect(partial).toMatchObject({ complete: false });
  expect(partial!.bytes).toBeGreaterThan(0);
  server.page = undefined;
  expect(await load()).toEqual({ result: { weights: "q4" } });
  // In all, one tensor more than an uninterrupted load: the interrupted one.
  expect(bytesOf(server.served)).toBeLessThan(1.15 * whole);
  expect(await stored()).toMatchObject([{ complete: true }]);
});

test("a byte that differs from the Hub's is detected, and its file fetched again", async () => {
  const { tensors } = await openCheckpoint(folderSource(SMALL));
  const [first] = tensors.values();
  const last = [...tensors.values()].findLast(({ file }) => file === first!.file);
  const other = [...tensors.values()].at(-1)!;
  const fails = {
    error: {
      name: "CheckpointError",
      message: expect.stringMatching(/-00001-of.*expected SHA-256 \w{64}, got \w{64}\. .*load again/),
    },
  };
  const loadHub = () => load({ weights: "q4" }, server.hub);
  expect(await loadHub()).toEqual({ result: { weights: "q4" } });
  expect(hashWorkers).toBe(2); // One for each shard.
  const right = await order({ call: "logits" });
  const whole = bytesOf(server.served);
  const remove = async () => {
    await order({ call: "dispose" });
    await page.evaluate(() => store.deleteStoredModels());
    server.served = [];
  };
  // In the header, which still parses, and in the last byte.
  const header = (await readFile(join(SMALL, first!.file))).indexOf('"pt"') + 1;
  const middle = Math.floor((first!.start + first!.end) / 2);
  expect(header).toBeGreaterThan(8);
  for (const at of [header, last!.end - 1]) {
    await remove();
    server.wrong = { file: first!.file, at };
    expect(await loadHub(), `byte ${at}`).toMatchObject(fails);
    expect(await stored()).toMatchObject([{ complete: false, bytes: 0 }]);
    // The other shard was not started.
    expect(server.served.filter(({ file, start }) => file === other.file && start > 8)).toEqual([]);
    server.wrong = undefined;
    expect(await loadHub()).toEqual({ result: { weights: "q4" } });
    expect(await order({ call: "logits" })).toEqual(right);
    expect(await stored()).toMatchObject([{ complete: true }]);
  }
  // Valid files stay.
  await remove();
  server.wrong = { file: other.file, at: other.end - 1 };
  expect(await loadHub()).toMatchObject({ error: { name: "CheckpointError" } });
  expect((await stored())[0]!.bytes).toBeGreaterThan(0);
  server.wrong = undefined;
  server.served = [];
  expect(await loadHub()).toEqual({ result: { weights: "q4" } });
  expect(server.served.filter(({ file, start }) => file === first!.file && start > 8)).toEqual([]);
  expect(await order({ call: "logits" })).toEqual(right);

  // Without a worker, it hashes on its own thread.
  await remove();
  noHashWorker = true;
  server.wrong = { file: first!.file, at: last!.end - 1 };
  expect(await loadHub()).toMatchObject(fails);
  server.wrong = undefined;
  expect(await loadHub()).toEqual({ result: { weights: "q4" } });
  noHashWorker = false;

  // Cut off in the middle: the hash continues from there, and covers both parts.
  for (const [part, before, after] of [
    ["neither", undefined, undefined],
    ["first", middle, undefined],
    ["second", undefined, last!.end - 1],
  ] as const) {
    await remove();
    server.wrong = before === undefined ? undefined : { file: first!.file, at: before };
    server.holdAfter = 2e4;
    await order({ call: "load", source: server.hub, options: { weights: "q4" } }, 1e4);
    await setTimeout(300);
    server.holdAfter = Infinity;
    expect((await stored())[0]!.bytes).toBeGreaterThan(0);
    server.served = [];
    server.wrong = after === undefined ? undefined : { file: first!.file, at: after };
    const result = await loadHub();
    if (part === "neither") expect(result).toEqual({ result: { weights: "q4" } });
    else expect(result, `the ${part} part`).toMatchObject(fails);
    expect(bytesOf(server.served)).toBeLessThan(0.9 * whole);
  }
});

test("one tab at a time, and the other may take over", async () => {
  await load();
  const other = await site.openPage();
  expect(await load({}, server.url, other)).toMatchObject({
    error: { name: "ModelInUseError", message: expect.stringMatching(/another tab.*takeOver: true/) },
  });
  await expect(page.evaluate((url) => store.deleteStoredModel(url), server.url)).rejects.toThrow(
    /another tab/,
  );
  expect(await load({ takeOver: true }, server.url, other)).toEqual({ result: { weights: "q4" } });
  expect(await order({ call: "logits" })).toMatchObject({
    error: { name: "ModelInUseError", message: expect.stringMatching(/took it over/) },
  });
  await order({ call: "dispose" }, undefined, other);
  expect(await load()).toEqual({ result: { weights: "q4" } });
  await other.close();
});

test("without enough space, it says how much is missing before a tensor is fetched", async () => {
  const session = await site.chromium.context.newCDPSession(page);
  const origin = new URL(site.url).origin;
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 2e4 });
  try {
    const { error } = await load();
    expect(error).toMatchObject({
      name: "StorageError",
      message: expect.stringMatching(/expected room for/),
    });
    expect(error!.missingBytes).toBeGreaterThan(1000);
    expect(error!.missingBytes).toBeLessThan(40_000);
    expect(bytesOf(server.served)).toBeLessThan(20_000);
    expect(await load({ store: false })).toEqual({ result: { weights: "q4" } });
  } finally {
    await session.send("Storage.overrideQuotaForOrigin", { origin });
  }
});

test("models are listed while they load, deleted, and the browser is asked to keep them", async () => {
  const seen = await page.evaluate(async (source) => {
    const seen: (number | string)[] = [];
    let loading = true;
    const loaded = store.order({ call: "load", source, options: { weights: "q8" } }).finally(() => {
      loading = false;
    });
    while (loading) {
      const found = await store.listStoredModels().catch((error: Error) => `${error.name}: ${error.message}`);
      seen.push(typeof found === "string" ? found : found.length);
    }
    await loaded;
    return seen;
  }, server.url);
  expect(new Set(seen)).toEqual(new Set([0, 1]));
  await order({ call: "dispose" });
  expect(await stored()).toHaveLength(1);
  await page.evaluate((url) => store.deleteStoredModel(url, "q8"), server.url);
  expect(await stored()).toEqual([]);
  expect(typeof (await page.evaluate(() => store.persistStorage()))).toBe("boolean");
});

test("the tuner remembers in a worker", async () => {
  expect(await order({ call: "tuning" })).toEqual({ result: [undefined, "second"] });
});
