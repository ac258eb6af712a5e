// The embedded model against the independent reference in test/golden/tiny-mistral, on this driver.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { borrowDevice } from "../../engine/device.ts";
import { matmulCandidates, matvecCandidates } from "../../engine/kernel-choice.ts";
import { loadModel, type Model } from "../../engine/node.ts";
import { matmulVariants, matvecVariants, weightFormats } from "../../kernels/index.ts";
import { openTestDevice } from "../helpers.ts";

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../golden/tiny-mistral/${name}.json`, import.meta.url), "utf8"));
const prompts: { name: string; n_tokens: number }[] = read("index").filter(
  ({ name }: { name: string }) => name !== "text600",
);

const f32 = (base64: string): Float32Array =>
  new Float32Array(new Uint8Array(Buffer.from(base64, "base64")).buffer);

/** What quality is measured on. SwiftShader takes half a minute for all of it, so there it is the first third. */
function sample(): { ids: number[]; perplexity: number } {
  const { ids, perplexity, logprobs_of_ids_1_to_end } = read("text600");
  if (process.env["SIROCCO_DRIVER"] !== "swiftshader") return { ids, perplexity };
  const length = 200;
  const logProbs: number[] = logprobs_of_ids_1_to_end.slice(0, length - 1);
  const mean = logProbs.reduce((sum, value) => sum + value, 0) / logProbs.length;
  return { ids: ids.slice(0, length), perplexity: Math.exp(-mean) };
}

// One device for all: the models share what pipelines they can.
let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});

describe.each(["f32", "bf16"] as const)("weights %s are the stored values", (weights) => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(undefined, { weights, device });
  });
  afterAll(() => model.dispose());

  // Long ones take SwiftShader long: there they go with one of the two.
  const long = weights === "bf16" || process.env["SIROCCO_DRIVER"] !== "swiftshader";
  const asked = prompts.filter(({ n_tokens }) => long || n_tokens < 140);
  test.each(asked)("$name: logits, greedy continuation", async ({ name }) => {
    const golden = read(name);
    const logits = await model.logits(golden.ids);
    const expected = f32(golden.last_logits.f32_base64);
    expect(logits.length).toBe(expected.length);
    const worst = logits.reduce((max, value, i) => Math.max(max, Math.abs(value - expected[i]!)), 0);
    expect(worst).toBeLessThan(5e-4);

    const ids: number[] = [];
    for await (const chunk of model.generate(golden.ids, { maxTokens: 64, ignoreEos: true }))
      ids.push(...chunk.ids);
    // Past a token that the reference itself hardly preferred, another one may be right.
    const margins: number[] = golden.greedy_top1_minus_top2;
    const unsure = margins.findIndex((margin) => margin <= 1e-2);
    const sure = unsure < 0 ? 64 : unsure;
    expect(sure).toBeGreaterThan(0);
    expect(ids.slice(0, sure)).toEqual(golden.greedy_64_ids.slice(0, sure));
    expect(ids.length).toBe(64);
  });

  if (!long) return;
  test("text600: log-probabilities and perplexity", async () => {
    const golden = read("text600");
    const { logProbs, perplexity } = await model.score(golden.ids);
    const expected: number[] = golden.logprobs_of_ids_1_to_end;
    expect(logProbs.length).toBe(expected.length);
    const worst = expected.reduce((max, value, i) => Math.max(max, Math.abs(value - logProbs[i]!)), 0);
    expect(worst).toBeLessThan(5e-4);
    expect(Math.abs(perplexity / golden.perplexity - 1)).toBeLessThan(1e-4);
  });
});

test.each([
  ["f16", 1e-3],
  ["q8", 1e-3],
  ["q4", 1e-2],
] as const)("perplexity in %s is within %d of bf16", async (weights, bound) => {
  const golden = sample();
  const model = await loadModel(undefined, { weights, device });
  const { perplexity } = await model.score(golden.ids);
  const bytes = model.plan.weightBytes;
  model.dispose();
  const change = perplexity / golden.perplexity - 1;
  console.log(
    `${weights}: perplexity ${perplexity.toFixed(5)} (${(100 * change).toFixed(3)} %), ${bytes} bytes of weights`,
  );
  expect(Math.abs(change)).toBeLessThan(bound);
});

test.each([
  ["f16", 1e-4],
  ["q8", 1e-3],
] as const)(
  "a cache in %s: perplexity within %d of the reference, greedy continuation",
  async (cache, bound) => {
    const model = await loadModel(undefined, { weights: "f32", cache, device });
    expect(model.plan.cache).toBe(cache);
    const text = sample();
    const { perplexity } = await model.score(text.ids);
    const change = perplexity / text.perplexity - 1;
    console.log(
      `cache ${cache}: perplexity ${perplexity.toFixed(5)} (${(100 * change).toFixed(4)} %), ${model.plan.cacheBytes} bytes of cache`,
    );
    expect(Math.abs(change)).toBeLessThan(bound);
    // As long as the reference prefers its token clearly; the last prompt is longer than the window.
    for (const name of ["02_once", "10_len_129"]) {
      const golden = read(name);
      const margins: number[] = golden.greedy_top1_minus_top2;
      const unsure = margins.slice(0, 24).findIndex((margin) => margin <= 0.1);
      const sure = unsure < 0 ? 24 : unsure;
      expect(sure).toBeGreaterThan(4);
      const ids: number[] = [];
      for await (const chunk of model.generate(golden.ids, { maxTokens: sure, ignoreEos: true }))
        ids.push(...chunk.ids);
      expect(ids).toEqual(golden.greedy_64_ids.slice(0, sure));
    }
    model.dispose();
  },
);

describe("every variant of the matrix kernels, forced: the same numbers", () => {
  // One of each kind at a time; where there are fewer of a kind, its first again.
  const names = Array.from(
    { length: Math.max(Object.keys(matvecVariants).length, Object.keys(matmulVariants).length) },
    (_, i) => [i] as const,
  );
  test.each(names)("number %d", async (i) => {
    const { adapter } = borrowDevice(device);
    const matvec = matvecCandidates(adapter)[i] ?? "workgroup";
    const matmul = matmulCandidates(adapter, weightFormats.bf16)[i] ?? "tile";
    const kernels = { matvec, matmul, attention: i % 2 === 0 ? "workgroup" : "lane" } as const;
    if (i > 0 && matvec === "workgroup" && matmul === "tile") return;
    const model = await loadModel(undefined, { kernels, device });
    const golden = read("10_len_129");
    const logits = await model.logits(golden.ids);
    const expected = f32(golden.last_logits.f32_base64);
    const worst = logits.reduce((max, value, n) => Math.max(max, Math.abs(value - expected[n]!)), 0);
    expect(worst, JSON.stringify(kernels)).toBeLessThan(5e-4);
    const ids: number[] = [];
    for await (const chunk of model.generate(golden.ids, { maxTokens: 8, ignoreEos: true }))
      ids.push(...chunk.ids);
    expect(ids).toEqual(golden.greedy_64_ids.slice(0, 8));
    model.dispose();
  });

  // Variants that round meet weights that round more; what they cost is held to the bounds of those formats.
  test.each([
    ["f16", "tile_f16", 1e-3],
    ["q8", "tile_int8", 5e-3],
  ] as const)("perplexity in %s by %s is within %d of bf16", async (weights, matmul, bound) => {
    if (!matmulCandidates(borrowDevice(device).adapter, weightFormats[weights]).includes(matmul)) return;
    const golden = sample();
    const model = await loadModel(undefined, { weights, device, kernels: { matmul } });
    const { perplexity } = await model.score(golden.ids);
    model.dispose();
    const change = perplexity / golden.perplexity - 1;
    console.log(
      `${weights} by ${matmul}: perplexity ${perplexity.toFixed(5)} (${(100 * change).toFixed(3)} %)`,
    );
    expect(Math.abs(change)).toBeLessThan(bound);
  });
});
