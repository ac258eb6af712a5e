// Every GGUF fixture against its golden numbers: in the formats that are loaded by default, where Q4_0, Q4_1,
// Q4_K, Q8_0 and floats are exact, or decoded to f32, where all types are.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { loadModel, quantizeModel } from "../../engine/node.ts";
import { folderSource, openCheckpoint } from "../../weights/node.ts";
import { openTestDevice } from "../helpers.ts";
import { isSlowDriver } from "../slow-driver.ts";
import { f32, type Typed, text, u32, writeGguf } from "../weights/gguf-file.ts";
import { ggufOf } from "../weights/gguf-of.ts";
import { memorySource } from "../weights/memory-source.ts";
import { greedy } from "./golden.ts";

interface Case {
  readonly ids: number[];
  readonly last_logits: number[];
  readonly greedy_16: number[];
}

const cases = import.meta.glob<Case[]>("../golden/formats/gguf_*/golden.json", {
  import: "cases",
  eager: true,
});
const folder = new URL("../golden/formats/", import.meta.url).pathname;
/** Exact values. */
const exact = 5e-4;
/** Matrices of 5 and 6 bits are loaded in 8 bits. */
const rounded = 0.5;
/** By folder: the formats that are loaded, and what they may change in a logit. Few, as each is compiled. */
const loads: Readonly<Record<string, Readonly<Partial<Record<"f32" | "auto", number>>>>> = {
  ...{
    gguf_qwen2_q4_0: { auto: exact },
    gguf_q4_0: { f32: exact, auto: exact },
    gguf_q8_0: { auto: exact },
    gguf_q8_0_split: { auto: exact },
  },
  ...{ gguf_llama3_rope: { auto: exact }, gguf_f16: { auto: exact }, gguf_bf16: { auto: exact } },
  ...{ gguf_q4_1: { auto: exact }, gguf_q5_0: { f32: exact }, gguf_q5_1: { f32: exact } },
  ...{ gguf_q4_k: { auto: rounded }, gguf_q5_k: { auto: rounded }, gguf_q6_k: { auto: rounded } },
  ...{ gguf_q4_k_m: { auto: rounded }, gguf_q4_k_m_two_layers: { f32: exact, auto: rounded } },
};
const names = isSlowDriver ? ["gguf_q4_0", "gguf_q4_k_m_two_layers"] : Object.keys(loads);

let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});

test("every fixture is here", () => {
  const all = Object.keys(cases).map((path) => path.split("/").at(-2));
  expect(all.sort()).toEqual(Object.keys(loads).sort());
});

test.each(names)("%s", async (name) => {
  const golden = cases[`../golden/formats/${name}/golden.json`]!;
  for (const [weights, bound] of Object.entries(loads[name]!) as ["f32" | "auto", number][]) {
    if (isSlowDriver && weights === "f32") continue;
    const model = await loadModel(`${folder}${name}`, { device, weights, chunkLength: 16 });
    for (const { ids, last_logits, greedy_16 } of golden) {
      const logits = await model.logits(ids);
      const worst = logits.reduce((max, value, i) => Math.max(max, Math.abs(value - last_logits[i]!)), 0);
      expect(worst, `${weights}, ${ids.length} tokens`).toBeLessThan(bound);
      if (bound === exact && !isSlowDriver) expect(await greedy(model, ids, 16)).toEqual(greedy_16);
    }
    model.dispose();
  }
});

/** Metadata that `ggufOf` does not write, as llama.cpp's converter names it. */
const yarn = (factor: number, original: number): [string, Typed][] => [
  ["rope.scaling.type", text("yarn")],
  ["rope.scaling.factor", f32(factor)],
  ["rope.scaling.original_context_length", u32(original)],
];
const written: [folder: string, architecture: "llama" | "mistral3" | "qwen3", pairs: [string, Typed][]][] = [
  ["qwen3_qknorm", "qwen3", []],
  ["yarn_mistral", "llama", [["attention.sliding_window", u32(24)], ...yarn(8, 2048)]],
  [
    "ministral3_yarn",
    "mistral3",
    [
      ...yarn(4, 16),
      ["rope.scaling.yarn_beta_fast", f32(8)],
      ["rope.scaling.yarn_beta_slow", f32(0.25)],
      ["rope.scaling.yarn_log_multiplier", f32(1)],
      ["attention.temperature_scale", f32(0.1)],
    ],
  ],
];

test.skipIf(isSlowDriver).each(written)("%s, written as GGUF of %s", async (name, architecture, pairs) => {
  const place = new URL(`../golden/architectures/${name}/`, import.meta.url).pathname;
  const golden = JSON.parse(readFileSync(join(place, "golden.json"), "utf8"));
  const gguf = await ggufOf(await openCheckpoint(folderSource(place)), architecture);
  gguf.pairs.push(...pairs.map(([key, value]): [string, Typed] => [`${architecture}.${key}`, value]));
  gguf.pairs.push(["general.alignment", u32(256)]);
  const model = await loadModel(memorySource({ "m.gguf": writeGguf({ ...gguf, alignment: 256 }) }), {
    device,
    weights: "f32",
    chunkLength: 16,
  });
  const { ids, last_logits } = (golden.cases as Case[]).at(-1)!;
  const logits = await model.logits(ids);
  expect(Math.max(...logits.map((value, i) => Math.abs(value - last_logits[i]!)))).toBeLessThan(exact);
  model.dispose();
});

test.skipIf(isSlowDriver)("a window that is asked for is used", async () => {
  const model = await loadModel(`${folder}gguf_q4_0`, { device, chunkLength: 16, window: 8 });
  const { ids, last_logits } = cases["../golden/formats/gguf_q4_0/golden.json"]!.at(-1)!;
  const logits = await model.logits(ids);
  expect(ids.length).toBe(40);
  expect(Math.max(...logits.map((value, i) => Math.abs(value - last_logits[i]!)))).toBeGreaterThan(0.1);
  expect(model.plan.cacheSlots).toBeLessThan(40);
  model.dispose();
});

test.skipIf(isSlowDriver)(
  "quantizing a GGUF file keeps its codes, and writes config and tokenizer",
  async () => {
    const out = mkdtempSync(join(tmpdir(), "sirocco-gguf-"));
    const { files } = await quantizeModel(`${folder}gguf_q8_0/tiny-Q8_0.gguf`, { weights: "q8", out });
    expect([...files].sort()).toEqual([
      ...["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"],
    ]);
    const model = await loadModel(out, { device, chunkLength: 16 });
    const { ids, last_logits } = cases["../golden/formats/gguf_q8_0/golden.json"]!.at(-1)!;
    const logits = await model.logits(ids);
    expect(logits.every((value, i) => Math.abs(value - last_logits[i]!) < exact)).toBe(true);
    expect(await model.decode(await model.encode("the é"))).toBe("the é");
    model.dispose();
    rmSync(out, { recursive: true });
  },
);
