// One model with matrices of different formats: between layers, and q, k and v of one layer. The numbers
// equal those of a model in f32 whose weights were rounded by the same formats on the host.
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { modelLayout } from "../../engine/graph/layout.ts";
import type { LoadedModel } from "../../engine/model.ts";
import { loadModel, type Model } from "../../engine/node.ts";
import { bytesPerRow, padded, type WeightFormatName, weightFormats } from "../../kernels/index.ts";
import { type FormatOf, parseConfig, requiredTensors } from "../../weights/index.ts";
import { openTestDevice } from "../helpers.ts";
import { fabricate } from "./fabricate.ts";

// The one place that decides formats, as every module of the engine imports it. Other files may have loaded
// those modules.
const mixed = vi.hoisted((): { formatOf: FormatOf | undefined } => {
  vi.resetModules();
  return { formatOf: undefined };
});
afterAll(() => void vi.resetModules());
vi.mock("../../weights/index.ts", async (importOriginal) => {
  const weights = await importOriginal<typeof import("../../weights/index.ts")>();
  const formatsAs: typeof weights.formatsAs = (...asked) => mixed.formatOf ?? weights.formatsAs(...asked);
  return { ...weights, formatsAs };
});

/** Similar sizes, so that pipelines are shared: compiling takes most of the time. */
const config = {
  architectures: ["LlamaForCausalLM"],
  num_hidden_layers: 2,
  hidden_size: 40,
  intermediate_size: 40,
  num_attention_heads: 5,
  num_key_value_heads: 1,
  head_dim: 8,
  vocab_size: 53,
  max_position_embeddings: 64,
};
const parsed = await parseConfig(config);
/** Bytes that fit a binding: less than q_proj of the odd layer, 40 rows of 64 in q8. */
const LIMIT = 2200;

/** The even layer in q4, the odd one with a different format for each matrix. */
const ODD: Readonly<Record<string, WeightFormatName>> = {
  ...{ q_proj: "q8", k_proj: "f16", v_proj: "q4", o_proj: "f16" },
  ...{ gate_proj: "q4", up_proj: "q8", down_proj: "q8" },
};
const formatOf: FormatOf = (name) => {
  const [, layer, matrix = ""] = /layers\.(\d)\..*\.(\w+)\.weight$/.exec(name) ?? [];
  if (layer === undefined) return name.startsWith("lm_head") ? "q8" : "f16";
  return layer === "0" ? "q4" : ODD[matrix]!;
};
/**
 * The format that a matrix is stored in: gate_proj and up_proj share the more exact of their two formats.
 */
const storedAs = (name: string): WeightFormatName =>
  /layers\.1\..*gate_proj/.test(name) ? "q8" : formatOf(name);

/** A matrix after it was stored in its format and read back, by the format's plain TypeScript. */
function rounded(name: string, shape: readonly number[], values: Float32Array): Float32Array {
  const [N = 0, K] = shape;
  if (K === undefined) return values;
  const format = weightFormats[storedAs(name)];
  const buffers = format
    .bindings(N, padded(K))
    .map(({ type, length }) => (type === "f32" ? new Float32Array(length) : new Uint32Array(length)));
  for (let n = 0; n < N; n++) {
    const row = new Float32Array(padded(K));
    row.set(values.subarray(n * K, (n + 1) * K));
    format.storeRow(buffers, n, new Uint32Array(row.buffer));
  }
  return values.map((_, i) => format.at(buffers, Math.floor(i / K) * padded(K) + (i % K), padded(K)));
}

let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});

describe("a model of mixed formats", () => {
  let [model, reference]: Model[] = [];
  beforeAll(async () => {
    const options = { device, chunkLength: 16 };
    mixed.formatOf = formatOf;
    model = await loadModel(fabricate(config), { ...options, weights: "q4", maxBindingBytes: LIMIT });
    mixed.formatOf = undefined;
    reference = await loadModel(fabricate(config, rounded), { ...options, weights: "f32" });
  });
  afterAll(() => {
    model?.dispose();
    reference?.dispose();
  });

  const ids = Array.from({ length: 20 }, (_, i) => (i * 17 + 1) % 53);
  const largest = (a: Float32Array, b: Float32Array): number =>
    a.reduce((max, value, i) => Math.max(max, Math.abs(value - b[i]!)), a.length === b.length ? 0 : Infinity);

  test("prefill and score", async () => {
    expect(largest(await model!.logits(ids), await reference!.logits(ids))).toBeLessThan(1e-4);
    const [a, b] = [await model!.score(ids), await reference!.score(ids)];
    expect(largest(a.logProbs, b.logProbs)).toBeLessThan(1e-4);
  });

  test("decode", async () => {
    const answers: number[][] = [];
    for (const each of [model!, reference!]) {
      const answer: number[] = [];
      for await (const chunk of each.generate([1, 7], { temperature: 0, maxTokens: 24, ignoreEos: true }))
        answer.push(...chunk.ids);
      answers.push(answer);
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(new Set(answers[0]).size).toBeGreaterThan(4);
    // All but the last token were decoded: these keys and values are written by decode.
    const [a, b] = await Promise.all([model!, reference!].map((each) => each.logits([1, 7, ...answers[0]!])));
    expect(largest(a!, b!)).toBeLessThan(1e-4);
  });

  test("the plan counts each matrix in its format", () => {
    const bytes = requiredTensors(parsed).map(({ name, shape: [N = 0, K] }) =>
      K === undefined ? 4 * padded(N) : N * bytesPerRow(weightFormats[storedAs(name)], K),
    );
    expect(model!.plan.weightBytes).toBe(bytes.reduce((a, b) => a + b));
  });
});

test("q, k and v of different formats are parts of one matrix; neighbours of the same format share a part", () => {
  const parts = (limit: number) =>
    modelLayout(parsed, formatOf, limit).layers.map(({ qkv }) =>
      qkv.parts.map(({ first, count, format }) => [first, count, format.name]),
    );
  const [even, odd] = parts(2 ** 20);
  expect(even).toEqual([[0, 7, "q4"]]);
  expect(odd).toEqual([
    [0, 5, "q8"],
    [5, 1, "f16"],
    [6, 1, "q4"],
  ]);
  expect(parts(LIMIT)[1]!.map(([first]) => first)).toEqual([0, 2, 5, 6]);
  const { layers } = modelLayout(parsed, formatOf, 2 ** 20);
  expect(layers.map(({ gateUp }) => gateUp.parts.map(({ format }) => format.name))).toEqual([["q4"], ["q8"]]);
});

test("a variant runs for the formats it supports, the plain one for the others", async () => {
  const idle = await openTestDevice(["backend=null"]);
  mixed.formatOf = formatOf;
  const options = {
    device: idle,
    weights: "q4",
    kernels: { matvec: "stream_int8", matmul: "tile_int8" },
  } as const;
  const model = (await loadModel(fabricate(config), options)) as LoadedModel;
  mixed.formatOf = undefined;
  const [prefill = [], step = []] = await model.measure(async ({ decoder }) =>
    [decoder.prefillDispatches, decoder.dispatchesOf(0)].map((list) => list.map(({ label }) => label)),
  );
  const int8 = (format: string) => `matmul_${format}_tile_int8`;
  expect(prefill.filter((label) => label.startsWith("matmul"))).toEqual([
    ...Array.from({ length: 4 }, () => int8("q4")),
    ...[int8("q8"), "matmul_f16_tile", int8("q4"), "matmul_f16_tile", int8("q8"), int8("q8")],
  ]);
  // Again where the next part reads another order of columns.
  expect(prefill.filter((label) => label.startsWith("quantize_input_"))).toEqual([
    ...Array.from({ length: 4 }, () => "quantize_input_even_odd"),
    ...["natural", "even_odd", "natural", "natural"].map((order) => `quantize_input_${order}`),
  ]);
  const of = (format: string) => ({
    quantized: `quantize_input_${format === "q4" ? "even_odd" : "natural"}`,
    matvec: `matvec_${format}_stream_int8`,
    qkv: `qkv_${format}_stream_int8`,
    gateUp: `gate_up_${format}_stream_int8`,
  });
  const [q4, q8] = [of("q4"), of("q8")];
  expect(step.filter((label) => /^(quantize_input|qkv|gate_up|matvec)_/.test(label))).toEqual([
    ...[`${q4.quantized}_norm`, q4.qkv, q4.quantized, q4.matvec],
    ...[`${q4.quantized}_norm`, q4.gateUp, q4.quantized, q4.matvec],
    ...[
      `${q8.quantized}_norm`,
      q8.qkv,
      "qkv_f16_stream",
      `${q4.quantized}_norm`,
      q4.qkv,
      "matvec_f16_stream",
    ],
    ...[`${q8.quantized}_norm`, q8.gateUp, q8.quantized, q8.matvec],
    ...[`${q8.quantized}_norm`, q8.matvec],
  ]);
  model.dispose();
  idle.destroy();
});
