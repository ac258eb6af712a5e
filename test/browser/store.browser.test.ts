// Weights in the origin's private files: the second load needs no network, whatever became of the first.
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { StoredModel } from "../../engine/index.ts";
import { folderSource, openCheckpoint } from "../../weights/node.ts";
import { openChromium, serveFolder } from "./chromium.ts";
import { type CountingServer, countingServer, type Served } from "./counting-server.ts";
import type { StorePage } from "./store-page.ts";

declare const store: StorePage;

const MODEL = "weights/tiny-mistral";
let chromium: Awaited<ReturnType<typeof openChromium>>;
let site: Awaited<ReturnType<typeof serveFolder>>;
let server: CountingServer;
let folder: string;
let page: Page;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sirocco-store-"));
  await build({
    configFile: false,
    logLevel: "error",
    build: {
      outDir: folder,
      target: "es2023",
      minify: false,
      rolldownOptions: {
        input: { worker: "test/browser/store-worker.ts", page: "test/browser/store-page.ts" },
        output: { entryFileNames: "[name].js" },
      },
    },
  });
  await copyFile("test/browser/blank.html", join(folder, "index.html"));
  chromium = await openChromium();
  site = await serveFolder(folder);
  server = await countingServer(MODEL);
  page = await openPage();
});
afterAll(async () => {
  await chromium?.close();
  await site?.close();
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await page.evaluate(() => {
    store.kill();
    return store.deleteStoredModels();
  });
  server.served = [];
  server.etag = undefined;
});

async function openPage(): Promise<Page> {
  const opened = await chromium.context.newPage();
  await opened.goto(site.url);
  await opened.addScriptTag({ url: "/page.js", type: "module" });
  await opened.waitForFunction(() => "store" in globalThis);
  return opened;
}

type Order = Parameters<StorePage["order"]>[0];
const order = (what: Order, killAt?: number, on = page) =>
  on.evaluate(([what, killAt]) => store.order(what, killAt), [what, killAt] as const);
const load = (options: NonNullable<Order["options"]> = {}, on = page, source = server.url) =>
  order({ call: "load", source, options }, undefined, on);
const stored = () => page.evaluate(() => store.listStoredModels() as Promise<StoredModel[]>);

/** Bytes of the answers, without the single byte that tells a file's size. */
const bytes = (served: readonly Served[]): number =>
  served.reduce((sum, { start, end }) => sum + (end - start > 1 ? end - start : 0), 0);

test("the second load comes from the cache alone", async () => {
  expect(await load()).toEqual({ result: { weights: "bf16" } });
  const first = await order({ call: "logits" });
  expect(await stored()).toMatchObject([
    { name: server.url.replace(/\/$/, ""), weights: "bf16", complete: true },
  ]);
  await page.reload();
  await page.addScriptTag({ url: "/page.js", type: "module" });
  await page.waitForFunction(() => "store" in globalThis);

  const { url } = server;
  await server.close();
  try {
    expect(await load()).toEqual({ result: { weights: "bf16" } });
    expect(await order({ call: "logits" })).toEqual(first);
    const plan = await page.evaluate((source) => store.planModel(source), url);
    expect(plan.weights).toBe("bf16");
  } finally {
    server = await countingServer(MODEL);
  }
});

test("a load that was killed goes on where it stopped", async () => {
  const options = { weights: "q4" } as const;
  await order({ call: "load", source: server.url, options }, 4e6);
  const before = server.served.filter(({ end, start }) => end - start > 1);
  const [partial] = await stored();
  expect(partial).toMatchObject({ weights: "q4", complete: false });
  expect(partial!.bytes).toBeGreaterThan(0);

  server.served = [];
  expect(await load(options)).toEqual({ result: { weights: "q4" } });
  const after = server.served.filter(({ end, start }) => end - start > 1);
  const again = after.filter(({ file, start, end }) =>
    before.some((old) => old.file === file && old.start < end && start < old.end),
  );
  // What was on its way, or being stored: not the small files, not what has its record.
  expect(again.length).toBeLessThanOrEqual(3);
  expect(bytes(after)).toBeLessThan(bytes(before) + bytes(after) - 2e6);
  expect(again.every(({ file }) => file.endsWith(".safetensors"))).toBe(true);
  expect(await stored()).toMatchObject([{ weights: "q4", complete: true }]);
  const resumed = await order({ call: "logits" });
  await order({ call: "dispose" });
  await load({ ...options, store: false });
  expect(await order({ call: "logits" })).toEqual(resumed);
});

test("of a damaged cache only the damaged tensor is fetched again", async () => {
  await load();
  const whole = await order({ call: "logits" });
  await page.evaluate(() => store.kill());
  const [{ totalBytes }] = (await stored()) as [StoredModel];
  await page.evaluate((at) => store.flip("bf16.safetensors", at), totalBytes - 1000);
  server.served = [];
  await load();
  // The last tensor of the packed file, whichever shard it comes from.
  const { tensors } = await openCheckpoint(folderSource(MODEL));
  const last = tensors.get("lm_head.weight") ?? tensors.get("model.norm.weight");
  expect(server.served.filter(({ start, end }) => end - start > 1)).toEqual([
    { file: last!.file, start: last!.start, end: last!.end },
  ]);
  expect(await order({ call: "logits" })).toEqual(whole);
  expect(await stored()).toMatchObject([{ complete: true }]);
});

test("a checkpoint that changed while it was stored in part is begun anew", async () => {
  await order({ call: "load", source: server.url, options: {} }, 4e6);
  server.served = [];
  server.etag = '"another"';
  expect(await load()).toEqual({ result: { weights: "bf16" } });
  expect(bytes(server.served)).toBeGreaterThan(10.5e6);
  expect(await stored()).toMatchObject([{ complete: true }]);
});

test("one tab at a time, and the other may take over", async () => {
  await load();
  const other = await openPage();
  expect(await load({}, other)).toMatchObject({
    error: { name: "ModelInUseError", message: expect.stringMatching(/another tab.*takeOver: true/) },
  });
  await expect(page.evaluate((url) => store.deleteStoredModel(url), server.url)).rejects.toThrow(/another tab/);
  expect(await load({ takeOver: true }, other)).toEqual({ result: { weights: "bf16" } });
  expect(await order({ call: "logits" })).toMatchObject({
    error: { name: "ModelInUseError", message: expect.stringMatching(/took it over/) },
  });
  await order({ call: "dispose" }, undefined, other);
  expect(await load()).toEqual({ result: { weights: "bf16" } });
  await other.close();
});

test("where there is no room, it says how much is missing before a tensor is fetched", async () => {
  const session = await chromium.context.newCDPSession(page);
  const origin = new URL(site.url).origin;
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 5e6 });
  try {
    const { error } = await load();
    expect(error).toMatchObject({ name: "StorageError", message: expect.stringMatching(/expected room for/) });
    expect(error!.missingBytes).toBeGreaterThan(1e6);
    expect(error!.missingBytes).toBeLessThan(11e6);
    expect(bytes(server.served)).toBeLessThan(1e6);
    expect(await load({ store: false })).toEqual({ result: { weights: "bf16" } });
  } finally {
    await session.send("Storage.overrideQuotaForOrigin", { origin });
  }
});

test("models are deleted, and the browser is asked to keep them", async () => {
  await load({ weights: "q8" });
  await order({ call: "dispose" });
  expect(await stored()).toHaveLength(1);
  await page.evaluate((url) => store.deleteStoredModel(url, "q8"), server.url);
  expect(await stored()).toEqual([]);
  expect(typeof (await page.evaluate(() => store.persistStorage()))).toBe("boolean");
});

test("the tuner remembers in a worker", async () => {
  expect(await order({ call: "tuning" })).toEqual({ result: [undefined, "second"] });
});
