// Quantised checkpoints of every kind against numbers of an independent reference, computed in float64 on the
// stored weights.
import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { loadModel, type Model } from "../../engine/node.ts";
import type { WeightFormatName } from "../../kernels/index.ts";
import { openTestDevice } from "../helpers.ts";
import { isSlowDriver } from "../slow-driver.ts";
import { greedy } from "./golden.ts";

const root = new URL("../golden/quantised/", import.meta.url).pathname;

/** Largest difference of a logit: weights as stored, or decoded and kept in 8 bits under other scales. */
const EXACT = 5e-4;
const REQUANTISED = 0.5;
/** The offset of a group is rounded to f16. */
const ROUNDED = 5e-2;

interface Expected {
  /** The format of the most matrices. */
  readonly weights: WeightFormatName;
  readonly within: number;
}

const q4: Expected = { weights: "q4", within: EXACT };
const q8: Expected = { weights: "q8", within: EXACT };
const paired = (weights: WeightFormatName, within = ROUNDED): Expected => ({ weights, within });
const decoded: Expected = { weights: "q8", within: REQUANTISED };

const folders: Readonly<Record<string, Expected>> = {
  gptq_4bit_sym_g32: q4,
  gptq_4bit_channel: q4,
  gptq_old_quantize_config: q4,
  gptq_v2_4bit_sym_g32: q4,
  gptq_8bit_sym_g32: q8,
  gptq_4bit_asym_borrow: paired("q4a"),
  gptq_4bit_asym_g64: paired("q4a64"),
  gptq_4bit_asym_zero_at_word_end: paired("q4a64"),
  gptq_v2_4bit_asym_g32: paired("q4a"),
  gptq_4bit_desc_act_g32: q4,
  awq_gemm_g32: paired("q4a"),
  awq_gemm_g128: paired("q4a128"),
  ct_w4a16_sym_g32: q4,
  ct_w4a16_channel: q4,
  ct_w4a16_asym_g32: paired("q4a"),
  ct_w4a16_actorder_g32: q4,
  ct_w8a16_g32: q8,
  ct_fp8_channel: decoded,
  fp8_e4m3_tensor: decoded,
  fp8_block_64: decoded,
  fp8_block_128: decoded,
  mlx_4bit_g64: paired("q4a64", EXACT),
  mlx_4bit_g32_mixed: paired("q4a", REQUANTISED),
  mlx_8bit_g32: decoded,
};

/** Compiling takes most of the time: with other sizes, decode has pipelines of its own. */
const decodes = isSlowDriver ? [] : ["gptq_4bit_sym_g32", "gptq_8bit_sym_g32", "gptq_4bit_desc_act_g32"];
const onSwiftShader = ["gptq_4bit_sym_g32", "gptq_8bit_sym_g32", "fp8_e4m3_tensor", "ct_w4a16_actorder_g32"];

/** What is decoded can be loaded in any format; in f32 it is exact. */
const inF32 = ["fp8_block_128"];

interface Case {
  readonly ids: readonly number[];
  readonly last_logits: readonly number[];
  readonly greedy_16: readonly number[];
}

// One device for all: the models share pipelines.
let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});

const casesOf = (folder: string): readonly Case[] =>
  JSON.parse(readFileSync(`${root}${folder}/golden.json`, "utf8")).cases;

async function checkLogits(model: Model, { ids, last_logits }: Case, within: number): Promise<void> {
  const logits = await model.logits(ids);
  expect(logits.length).toBe(last_logits.length);
  const worst = last_logits.reduce((most, x, i) => Math.max(most, Math.abs(x - logits[i]!)), 0);
  expect(worst, `${ids.length} tokens`).toBeLessThan(within);
}

for (const [folder, { weights, within }] of Object.entries(folders)) {
  if (isSlowDriver && !onSwiftShader.includes(folder)) continue;
  test(folder, async () => {
    const model = await loadModel(root + folder, { device, chunkLength: 16 });
    expect(model.plan.weights).toBe(weights);
    for (const each of casesOf(folder)) {
      await checkLogits(model, each, within);
      if (decodes.includes(folder)) expect(await greedy(model, each.ids, 16)).toEqual(each.greedy_16);
    }
    model.dispose();
    if (!inF32.includes(folder)) return;
    const exact = await loadModel(root + folder, { device, chunkLength: 16, weights: "f32" });
    for (const each of casesOf(folder)) await checkLogits(exact, each, EXACT);
    exact.dispose();
  });
}
