// The embedded model against the independent reference in test/golden/tiny-mistral, on this driver.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadModel, type Model } from "../../engine/node.ts";
import { openTestDevice } from "../helpers.ts";

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../golden/tiny-mistral/${name}.json`, import.meta.url), "utf8"));
const prompts: { name: string; n_tokens: number }[] = read("index").filter(
  ({ name }: { name: string }) => name !== "text600",
);

const f32 = (base64: string): Float32Array =>
  new Float32Array(new Uint8Array(Buffer.from(base64, "base64")).buffer);

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

  test.each(prompts)("$name: logits, greedy continuation", async ({ name }) => {
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
  ["q8", 2e-3],
  ["q4", 2e-2],
] as const)("perplexity in %s is within %d of bf16", async (weights, bound) => {
  const golden = read("text600");
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

test("the kernels of a GPU, whose workgroups share a dot product: the same numbers", async () => {
  const model = await loadModel(undefined, {
    kernels: { matvec: "workgroup", matmul: "tile", attention: "workgroup" },
    device,
  });
  for (const name of ["02_once", "10_len_129"]) {
    const golden = read(name);
    const logits = await model.logits(golden.ids);
    const expected = f32(golden.last_logits.f32_base64);
    expect(logits.reduce((max, value, i) => Math.max(max, Math.abs(value - expected[i]!)), 0)).toBeLessThan(
      5e-4,
    );
    const ids: number[] = [];
    for await (const chunk of model.generate(golden.ids, { maxTokens: 8, ignoreEos: true }))
      ids.push(...chunk.ids);
    expect(ids).toEqual(golden.greedy_64_ids.slice(0, 8));
  }
  model.dispose();
});
