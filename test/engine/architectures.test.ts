// A small model of each architecture, and of each kind of RoPE, against numbers made outside this project.
import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { loadModel } from "../../engine/node.ts";
import { openTestDevice } from "../helpers.ts";
import { checkLogits, greedy } from "./golden.ts";

interface Case {
  readonly ids: number[];
  readonly last_logits: number[];
  readonly greedy_16: number[];
}

/** One with a kernel of its own runs on every driver, and as a batch. */
const ARCHITECTURES: Readonly<Record<string, "every driver" | "one">> = {
  llama3_rope: "one",
  ministral3_wrapped: "one",
  ministral3_yarn: "one",
  nemo_head_dim: "one",
  phi3_fused: "one",
  qwen2_bias: "one",
  qwen3_qknorm: "every driver",
  smollm3_nope: "one",
  yarn_mistral: "one",
};

const folder = new URL("../golden/architectures/", import.meta.url).pathname;
const slow = process.env["SIROCCO_DRIVER"] === "swiftshader";

// One device for all: the models share pipelines.
let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});

for (const [name, drivers] of Object.entries(ARCHITECTURES)) {
  if (slow && drivers === "one") continue;
  test(name, async () => {
    const { cases } = JSON.parse(readFileSync(`${folder}${name}/golden.json`, "utf8")) as { cases: Case[] };
    const many = drivers === "every driver";
    // Chunks shorter than the longest prompt.
    const options = { chunkLength: 16, parallel: many ? 2 : 1, device };
    const model = await loadModel(`${folder}${name}`, options);
    for (const { ids, last_logits } of cases) await checkLogits(model, ids, last_logits);
    const longest = cases.at(-1)!;
    expect(await greedy(model, longest.ids, 16)).toEqual(longest.greedy_16);
    if (many) {
      const together = await Promise.all(cases.map(({ ids }) => greedy(model, ids, 16)));
      expect(together).toEqual(cases.map(({ greedy_16 }) => greedy_16));
    }
    model.dispose();
  });
}
