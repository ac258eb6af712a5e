// The embedded model against the independent reference in test/golden/tiny-mistral, on this driver.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadModel, type Model } from "../../engine/node.ts";
import { openTestDevice } from "../helpers.ts";
import { f32, read, sample } from "./golden.ts";

const prompts: { name: string; n_tokens: number }[] = read("index").filter(
  ({ name }: { name: string }) => name !== "text600",
);

// One device for all: the models share pipelines.
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

  // Long prompts are slow on SwiftShader: there they run with one of the two.
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
    // After a token that the reference hardly preferred, another continuation may be right.
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
