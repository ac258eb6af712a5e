// GGUF files and quantised folders in the origin's private file system. The browser is killed half way, the
// load continues by Range, and what is stored answers without a server.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { folderSource, openCheckpoint, unpackedName } from "../../weights/node.ts";
import { writeGguf } from "../weights/gguf-file.ts";
import { ggufOf, sentencePiecePairs, splitGguf } from "../weights/gguf-of.ts";
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

const GOLDEN = "test/golden/tiny-mistral/02_once.json";
/** The part of a header that is fetched first, and stored with the model. */
const FIRST_BYTES = 2 ** 17;

let site: StoreSite;
let page: Page;
beforeAll(async () => {
  site = await openStoreSite();
  page = await site.openPage();
});
afterAll(() => site?.close());
beforeEach(async () => {
  await order({ call: "dispose" });
  await page.evaluate(() => store.deleteStoredModels());
});

const order = (what: Order) => orderOn(page, what);
const load = (source: string, adapter?: "webgpu") =>
  order({ call: "load", source, options: {}, ...(adapter && { adapter }) });
const stored = () => storedModels(page);

async function withFiles(
  files: ReadonlyMap<string, Uint8Array>,
  use: (server: CountingServer, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "sirocco-gguf-"));
  for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
  const server = await countingServer(folder);
  try {
    await use(server, folder);
  } finally {
    await server.close();
    await rm(folder, { recursive: true });
  }
}

test.each([1, 2])("the browser is killed half way through a model in %i files", async (count) => {
  const tiny = await openCheckpoint(folderSource("weights/tiny-mistral"));
  const plain = await ggufOf(tiny, "llama");
  const file = { ...plain, pairs: [...plain.pairs, ...(await sentencePiecePairs(tiny))] };
  const files = count === 1 ? new Map([["m.gguf", writeGguf(file)]]) : splitGguf("m", file, count);
  const names = [...files.keys()];
  await withFiles(files, async (server, folder) => {
    const url = `${server.url}${names.at(-1)}`;
    server.holdAfter = 7e6;
    const adapter = count === 1 ? "webgpu" : undefined;
    load(url, adapter).catch(() => {}); // It does not live to see the end.
    let bytes = 0;
    for (let before = -1; bytes < 3e6 || bytes !== before; await setTimeout(200)) {
      before = bytes;
      bytes = (await stored())[0]?.bytes ?? 0;
    }
    await site.chromium.restart();
    server.holdAfter = Infinity;
    server.served = [];

    page = await site.openPage();
    const [partial] = await stored();
    expect(partial).toMatchObject({ complete: false });
    expect(partial!.bytes).toBeGreaterThanOrEqual(bytes);
    const { tensors } = await openCheckpoint(folderSource(join(folder, names[0]!)));
    const kept = (await page.evaluate(() => store.storedTensors())).map(
      (name) => tensors.get(unpackedName(name))!,
    );
    expect(kept.length).toBeGreaterThan(10);
    expect(await load(url, adapter)).toEqual({ result: { weights: "bf16" } });
    // Nothing that was stored is fetched again: no header, no tensor. Each of the others is fetched once.
    const headers = names.map((file) => ({ file, start: 0, end: FIRST_BYTES }));
    for (const { file, start, end } of read(server.served))
      expect([...headers, ...kept].find((it) => it.file === file && it.start < end && start < it.end)).toBe(
        undefined,
      );
    const missing = [...tensors.values()].filter((tensor) => !kept.includes(tensor));
    const seen = missing.map((it) => Math.max(0, it.end - Math.max(it.start, FIRST_BYTES)));
    expect(bytesOf(server.served)).toBe(seen.reduce((sum, length) => sum + length, 0));

    const [model] = await stored();
    expect(model).toMatchObject({ name: `${server.url}${names[0]}`, weights: "bf16", complete: true });
    await order({ call: "dispose" });
    if (count > 1) {
      // A damaged byte costs its tensor.
      await page.evaluate((at) => store.flip("bf16.safetensors", at), model!.totalBytes - 100);
      server.served = [];
      expect(await load(url)).toEqual({ result: { weights: "bf16" } });
      const { start, end } = tensors.get("lm_head.weight")!;
      expect(read(server.served)).toEqual([{ file: names.at(-1), start, end }]);
    }

    // Without a server, and once by another page.
    await server.close();
    if (count > 1) {
      await page.close();
      page = await site.openPage();
    }
    expect(await load(url)).toEqual({ result: { weights: "bf16" } });
    const { greedy_64_text } = JSON.parse(await readFile(GOLDEN, "utf8"));
    const { result } = await order({ call: "generate" });
    expect(result).toMatch(/^, there was a little girl/);
    expect(greedy_64_text.startsWith(result)).toBe(true);
    await order({ call: "dispose" });
    await page.evaluate((url) => store.deleteStoredModel(url), url);
    expect(await stored()).toEqual([]);
  });
});

test("a file of a repository, chosen by name or named; a wrong byte is noticed", async () => {
  const formats = "test/golden/formats";
  const files = new Map<string, Uint8Array>();
  for (const [name, from] of [
    ["m.Q2_K.gguf", "gguf_q8_0/tiny-Q8_0.gguf"],
    ["m.Q4_K_M.gguf", "gguf_q4_k_m_two_layers/tiny-Q4_K_M.gguf"],
    ["m.Q8_0.gguf", "gguf_q8_0/tiny-Q8_0.gguf"],
  ] as const)
    files.set(name, await readFile(join(formats, from)));
  await withFiles(files, async (server) => {
    const hub = "https://huggingface.co";
    await site.chromium.context.route(`${hub}/**`, async (route) => {
      const url = route.request().url().replace(`${hub}/`, server.url);
      await route.fulfill({ response: await route.fetch({ url }) });
    });
    const fails = { name: "CheckpointError", message: expect.stringMatching(/Q4_K_M.*expected SHA-256/) };
    server.wrong = { file: "m.Q4_K_M.gguf", at: files.get("m.Q4_K_M.gguf")!.length - 1 };
    expect(await load("owner/tiny")).toMatchObject({ error: fails });
    expect(await stored()).toMatchObject([{ complete: false, bytes: 0 }]);
    server.wrong = undefined;
    expect(await load("owner/tiny")).toEqual({ result: { weights: "q4k" } });
    // No other file is asked for, not even for its size.
    expect(new Set(server.served.map(({ file }) => file))).toEqual(new Set(["m.Q4_K_M.gguf"]));
    const logits = await order({ call: "logits" });

    const named = "owner/tiny/m.Q8_0.gguf";
    await order({ call: "dispose" });
    expect(await load(`${hub}/owner/tiny/blob/main/m.Q8_0.gguf`)).toEqual({ result: { weights: "q8" } });
    expect((await stored()).map(({ name }) => name)).toEqual([named, "owner/tiny"]);
    await order({ call: "dispose" });
    await page.evaluate((named) => store.deleteStoredModel(named), named);
    await site.chromium.context.unroute(`${hub}/**`);
    await site.chromium.context.route(`${hub}/**`, (route) => route.abort());
    expect(await load("owner/tiny")).toEqual({ result: { weights: "q4k" } });
    expect(await order({ call: "logits" })).toEqual(logits);
  });
});

test.each([
  ["gptq_4bit_sym_g32", 5e-4],
  ["gptq_4bit_desc_act_g32", 5e-4],
  // Offsets are rounded to f16.
  ["mlx_4bit_g32_mixed", 0.1],
] as const)("%s by its address", async (name, bound) => {
  const folder = `test/golden/quantised/${name}`;
  const server = await countingServer(folder);
  const { url } = server;
  const { cases } = JSON.parse(await readFile(join(folder, "golden.json"), "utf8"));
  const { ids, last_logits } = cases[1] as { ids: number[]; last_logits: number[] };
  try {
    expect(await load(url, "webgpu")).toMatchObject({ result: { weights: expect.stringMatching(/^q4/) } });
  } finally {
    await server.close();
  }
  expect(await stored()).toMatchObject([{ complete: true }]);
  await order({ call: "dispose" });
  expect(await load(url, "webgpu")).toMatchObject({ result: {} });
  const logits = (await order({ call: "logits", ids })).result as number[];
  const worst = Math.max(...logits.map((value, i) => Math.abs(value - last_logits[i]!)));
  expect(worst).toBeLessThan(bound);
});
