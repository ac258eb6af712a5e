// A small model of each architecture, and of each kind of RoPE, against numbers made outside this project.
import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { loadModel, type Model } from "../../engine/node.ts";
import { openTestDevice } from "../helpers.ts";
import { isSlowDriver } from "../slow-driver.ts";
import { checkLogits, greedy } from "./golden.ts";

interface Case {
  readonly ids: number[];
  readonly last_logits: number[];
  readonly greedy_16: number[];
}

/** Those whose kernels differ run together, too; one with a kernel of its own does so on every driver. */
const ARCHITECTURES: Readonly<Record<string, "every driver" | "together" | "one">> = {
  llama3_rope: "one",
  ministral3_wrapped: "one",
  ministral3_yarn: "together",
  nemo_head_dim: "one",
  phi3_fused: "one",
  qwen2_bias: "together",
  qwen3_qknorm: "every driver",
  smollm3_nope: "together",
  yarn_mistral: "together",
};

const folder = new URL("../golden/architectures/", import.meta.url).pathname;

// One device for all: the models share pipelines.
let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});

for (const [name, drivers] of Object.entries(ARCHITECTURES)) {
  if (isSlowDriver && drivers !== "every driver") continue;
  test(name, async () => {
    const { cases } = JSON.parse(readFileSync(`${folder}${name}/golden.json`, "utf8")) as { cases: Case[] };
    const many = drivers !== "one";
    // Chunks shorter than the longest prompt.
    const options = { chunkLength: 16, parallel: many ? 2 : 1, device };
    const model = await loadModel(`${folder}${name}`, options);
    for (const { ids, last_logits } of cases) await checkLogits(model, ids, last_logits);
    const longest = cases.at(-1)!;
    expect(await greedy(model, longest.ids, 16)).toEqual(longest.greedy_16);
    if (many) {
      const together = await Promise.all(cases.map(({ ids }) => greedy(model, ids, 16)));
      expect(together).toEqual(cases.map(({ greedy_16 }) => greedy_16));
      await copiedAndContinued(model, longest);
    }
    model.dispose();
  });
}

/** An answer whose prompt is copied from a ring in use, and one that goes on from a saved ring. */
async function copiedAndContinued(model: Model, { ids, greedy_16 }: Case): Promise<void> {
  const forget = () => Promise.all([7, 8].map((id) => answer(model, [id], 1)));
  await forget();
  const first = model.generate(ids, { temperature: 0, maxTokens: 16, ignoreEos: true });
  await first.next();
  const copied = await answer(model, ids, 16);
  await first.return();
  expect(copied).toEqual({ answer: greedy_16, cached: ids.length - 1 });

  await forget();
  const head = (await answer(model, ids, 6)).answer;
  const session = (await model.saveSession())!;
  await forget();
  await model.restoreSession(session);
  const rest = await answer(model, [...ids, ...head], 10);
  expect(rest).toEqual({ answer: greedy_16.slice(6), cached: ids.length + 5 });
}

async function answer(model: Model, prompt: readonly number[], maxTokens: number) {
  const answer: number[] = [];
  let cached = 0;
  for await (const { ids, finish } of model.generate(prompt, {
    temperature: 0,
    maxTokens,
    ignoreEos: true,
  })) {
    answer.push(...ids);
    cached = finish?.cachedTokens ?? cached;
  }
  return { answer, cached };
}
