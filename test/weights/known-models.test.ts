// models.json: the sizes of each entry follow from its shape, through GGUF's reader and the plan.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { planModel } from "../../engine/resident/plan.ts";
import { pages, withTable } from "../../scripts/model-table.mjs";
import { openCheckpoint } from "../../weights/index.ts";
import { type KnownModel, knownModel, knownModels } from "../../weights/known-models.ts";
import { folderSource, parseRepository } from "../../weights/node.ts";
import { adapter } from "../fake-model.ts";
import { f32, smallGguf, type Typed, text, u32, writeGguf } from "./gguf-file.ts";
import { memorySource } from "./memory-source.ts";

interface Shape {
  readonly family: "llama" | "mistral3" | "qwen2" | "qwen3";
  readonly D: number;
  readonly F: number;
  readonly L: number;
  readonly H: number;
  readonly G: number;
  readonly d: number;
  readonly V: number;
  /** Without an output matrix of its own. */
  readonly tied: boolean;
}

/** As the config.json of each says. */
const SHAPES: Readonly<Record<string, Shape>> = {
  smollm2: { family: "llama", D: 2048, F: 8192, L: 24, H: 32, G: 32, d: 64, V: 49152, tied: true },
  "smollm2-360m": { family: "llama", D: 960, F: 2560, L: 32, H: 15, G: 5, d: 64, V: 49152, tied: true },
  "qwen2.5": { family: "qwen2", D: 1536, F: 8960, L: 28, H: 12, G: 2, d: 128, V: 151936, tied: true },
  "qwen2.5-0.5b": { family: "qwen2", D: 896, F: 4864, L: 24, H: 14, G: 2, d: 64, V: 151936, tied: true },
  "qwen3-0.6b": { family: "qwen3", D: 1024, F: 3072, L: 28, H: 16, G: 8, d: 128, V: 151936, tied: true },
  qwen3: { family: "qwen3", D: 2560, F: 9728, L: 36, H: 32, G: 8, d: 128, V: 151936, tied: true },
  mistral: { family: "llama", D: 4096, F: 14336, L: 32, H: 32, G: 8, d: 128, V: 32768, tied: false },
  "mistral-16bit": { family: "llama", D: 4096, F: 14336, L: 32, H: 32, G: 8, d: 128, V: 32768, tied: false },
  ministral: { family: "mistral3", D: 3072, F: 9216, L: 26, H: 32, G: 8, d: 128, V: 131072, tied: true },
  nemo: { family: "llama", D: 5120, F: 14336, L: 40, H: 32, G: 8, d: 128, V: 131072, tied: false },
};

/** GGUF's number of a type, and its bytes for a block of weights. */
const TYPES = {
  F32: { id: 0, block: 1, bytes: 4 },
  BF16: { id: 30, block: 1, bytes: 2 },
  Q5_0: { id: 6, block: 32, bytes: 22 },
  Q8_0: { id: 8, block: 32, bytes: 34 },
  Q4_K: { id: 12, block: 256, bytes: 144 },
  Q6_K: { id: 14, block: 256, bytes: 210 },
} as const;
type Type = keyof typeof TYPES;

/** llama.cpp's Q4_K_M: Q6_K for the last matrix, and for some layers of these two. */
function typeOf(model: KnownModel, shape: Shape, name: string, K: number): Type {
  if (model.format.startsWith("safetensors")) return "BF16";
  if (model.format.endsWith("Q8_0")) return "Q8_0";
  const { L, tied } = shape;
  const i = Number(/^blk\.(\d+)/.exec(name)?.[1] ?? 0);
  const eighth = Math.floor(L / 8);
  const more = i < eighth || i >= Math.floor((7 * L) / 8) || (i - eighth) % 3 === 2;
  const last = name === (tied ? "token_embd.weight" : "output.weight");
  const better = last || (more && /ffn_down|attn_v/.test(name));
  // Rows that are no multiple of 256 fall back.
  if (K % 256 !== 0) return better ? "Q8_0" : "Q5_0";
  return better ? "Q6_K" : "Q4_K";
}

const openKnown = (model: KnownModel) => openCheckpoint(sourceOf(model, SHAPES[model.aliases[0]]!).source);

/** A file with the header only, of the size that all its tensors take. */
function sourceOf(model: KnownModel, shape: Shape) {
  const { family, D, F, L, H, G, d, V, tied } = shape;
  const tensors: { name: string; dims: number[]; type: number; offset: number; bytes: Uint8Array }[] = [];
  let end = 0;
  const add = (name: string, ...dims: number[]): void => {
    const { id, block, bytes } = TYPES[dims.length > 1 ? typeOf(model, shape, name, dims[0]!) : "F32"];
    tensors.push({ name, dims, type: id, offset: end, bytes: new Uint8Array() });
    end += Math.ceil(((dims.reduce((a, b) => a * b) / block) * bytes) / 32) * 32;
  };
  add("token_embd.weight", D, V);
  if (!tied) add("output.weight", D, V);
  add("output_norm.weight", D);
  for (let i = 0; i < L; i++) {
    const layer = (name: string, ...dims: number[]) => add(`blk.${i}.${name}`, ...dims);
    layer("attn_norm.weight", D);
    layer("ffn_norm.weight", D);
    layer("attn_q.weight", D, H * d);
    layer("attn_k.weight", D, G * d);
    layer("attn_v.weight", D, G * d);
    layer("attn_output.weight", H * d, D);
    layer("ffn_gate.weight", D, F);
    layer("ffn_up.weight", D, F);
    layer("ffn_down.weight", F, D);
    if (family === "qwen2")
      for (const [name, heads] of Object.entries({ attn_q: H, attn_k: G, attn_v: G }))
        layer(`${name}.bias`, heads * d);
    if (family === "qwen3") for (const name of ["attn_q_norm", "attn_k_norm"]) layer(`${name}.weight`, d);
  }
  const sizes = {
    ...{ embedding_length: D, feed_forward_length: F, block_count: L, vocab_size: V },
    context_length: model.context,
    ...{ "attention.head_count": H, "attention.head_count_kv": G },
    ...{ "attention.key_length": d, "attention.value_length": d },
  };
  const pairs: [string, Typed][] = [
    ["general.architecture", text(family)],
    ...Object.entries(sizes).map(([key, value]): [string, Typed] => [`${family}.${key}`, u32(value)]),
    [`${family}.attention.layer_norm_rms_epsilon`, f32(1e-5)],
    [`${family}.rope.freq_base`, f32(1e6)],
  ];
  const written = writeGguf({ ...smallGguf(), pairs, tensors });
  const header = new Uint8Array(Math.max(written.length, 2 ** 17));
  header.set(written);
  const bytes = end + written.length;
  return {
    bytes,
    source: {
      ...memorySource({ "m.gguf": header }),
      size: async (name: string) => (name === "m.gguf" ? bytes : undefined),
    },
  };
}

const downloaded = knownModels.filter(({ source }) => source !== null);
const gpu = { ...adapter, maxBindingBytes: 2 ** 31 - 4 };

test("every field is there, every alias leads to one model, every source is a name that the Hub takes", () => {
  const aliases = knownModels.flatMap((model) => model.aliases);
  expect(new Set(aliases).size).toBe(aliases.length);
  for (const alias of aliases) expect(alias).toMatch(/^[a-z0-9][a-z0-9.-]*$/);
  for (const model of knownModels) {
    expect(Object.keys(model)).toEqual(Object.keys(knownModels[0]));
    expect(model.about).toMatch(/^[A-Z].*\.$/);
    expect(model.licence).not.toBe("");
    for (const alias of model.aliases) expect(knownModel(alias.toUpperCase())).toBe(model);
  }
  for (const { source } of downloaded) expect(parseRepository(source!).name).toMatch(/^[^/]+\/[^/]+$/);
  expect(knownModel("no-such-model")).toBeUndefined();
});

test("a newcomer meets the embedded model, then an open one of 0.4 to 2 billion, then Mistral 7B in 4 bits", () => {
  const [embedded, first] = knownModels;
  expect(embedded).toMatchObject({ source: null, downloadBytes: 0, gated: false });
  expect(first!.parameters / 1e9).toBeGreaterThan(0.4);
  expect(first!.parameters / 1e9).toBeLessThan(2);
  const order = downloaded.map(({ gated, aliases }) => (gated ? "gated" : aliases[0]));
  expect(order.indexOf("mistral")).toBeLessThan(order.indexOf("gated"));
  expect(first!.gated).toBe(false);
});

test.each(downloaded.map((model) => [model.aliases[0], model] as const))(
  "%s: parameters, download and GPU memory follow from its shape",
  async (alias, model) => {
    const checkpoint = await openKnown(model);
    const { plan } = planModel(checkpoint, gpu, { parallel: 1 });
    const file = sourceOf(model, SHAPES[alias]!).bytes;
    // The vocabulary is in the file, too, and a few of the quantiser's choices differ.
    expect.soft(model.downloadBytes / file).toBeGreaterThan(0.99);
    expect.soft(model.downloadBytes / file).toBeLessThan(1.03);
    expect.soft([checkpoint.parameters, plan.weights]).toEqual([model.parameters, model.weights]);
    // Rounded: the scratch changes with the kernels.
    expect(plan.totalBytes / model.gpuBytes).toBeCloseTo(1, 1.5);
  },
);

test("the embedded model's sizes are those of its plan", async () => {
  const [embedded] = knownModels;
  const checkpoint = await openCheckpoint(folderSource("weights/tiny-mistral"));
  const { plan } = planModel(checkpoint, gpu, { parallel: 1 });
  expect([plan.parameters, plan.weights]).toEqual([embedded.parameters, embedded.weights]);
  expect(plan.totalBytes / embedded.gpuBytes).toBeCloseTo(1, 1.5);
  expect(checkpoint.config.maxPositions).toBe(embedded.context);
});

test.each(pages)("%s has the table that models.json makes", (page) => {
  const text = readFileSync(page, "utf8");
  expect(withTable(text)).toBe(text);
});
