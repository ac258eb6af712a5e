// Miniature models of every corner of the shape space against the independent reference: windows, head
// counts, head widths, tied embeddings, shards, dtypes, odd sizes. Weights stay as stored.
import { readdirSync, readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { loadModel } from "../../engine/node.ts";
import { openTestDevice } from "../helpers.ts";

const folder = new URL("../golden/families/", import.meta.url).pathname;
const families = readdirSync(folder).filter((name) => !name.endsWith(".json"));

// One device for all: the models share pipelines.
let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});

interface Case {
  ids: number[];
  last_logits: number[];
  greedy_16: number[];
  greedy_min_margin: number;
}

test("all 21 families are here", () => expect(families.length).toBe(21));

test.each(families)("%s", async (family) => {
  const { cases } = JSON.parse(readFileSync(`${folder}${family}/golden.json`, "utf8")) as { cases: Case[] };
  // Chunks shorter than the longest prompt: several of them, and with a window the ring rolls over.
  // Weights stay as stored: a family in f32 is loaded as f32.
  const model = await loadModel(`${folder}${family}`, { chunkLength: 16, device });
  for (const { ids, last_logits, greedy_16, greedy_min_margin } of cases) {
    const logits = await model.logits(ids);
    expect(logits.length).toBe(last_logits.length);
    const worst = last_logits.reduce((max, value, i) => Math.max(max, Math.abs(value - logits[i]!)), 0);
    expect(worst, `${ids.length} tokens`).toBeLessThan(5e-4);
    const answer: number[] = [];
    for await (const chunk of model.generate(ids, { maxTokens: 16, ignoreEos: true }))
      answer.push(...chunk.ids);
    if (greedy_min_margin > 1e-3) expect(answer, `${ids.length} tokens`).toEqual(greedy_16);
  }
  model.dispose();
});

// Software drivers use lanes by default; the kernels of GPUs must give the same numbers. Without a window
// there are 4096 slots, so attention is split over the cache; golden.test.ts runs it in one part.
test("window_none with the kernels of a GPU", async () => {
  const family = "window_none";
  const { cases } = JSON.parse(readFileSync(`${folder}${family}/golden.json`, "utf8")) as { cases: Case[] };
  const model = await loadModel(`${folder}${family}`, {
    chunkLength: 16,
    device,
    kernels: { matvec: "workgroup", matmul: "tile", attention: "workgroup" },
  });
  for (const { ids, last_logits } of cases) {
    const logits = await model.logits(ids);
    const worst = last_logits.reduce((max, value, i) => Math.max(max, Math.abs(value - logits[i]!)), 0);
    expect(worst, `${ids.length} tokens`).toBeLessThan(5e-4);
  }
  const { ids, greedy_16, greedy_min_margin } = cases.at(-1)!;
  expect(greedy_min_margin).toBeGreaterThan(1e-3);
  const answer: number[] = [];
  for await (const chunk of model.generate(ids, { maxTokens: 16, ignoreEos: true }))
    answer.push(...chunk.ids);
  expect(answer).toEqual(greedy_16);
  model.dispose();
});
