// Matrices whose columns are sorted by group: every way in which their inputs are brought into that order, in
// decode, prefill and score, against the same weights as floats in the order of the file.
import { beforeAll, expect, test } from "vitest";
import type { LoadedModel } from "../../engine/model.ts";
import { loadModel, type Model } from "../../engine/node.ts";
import type { LoadOptions } from "../../engine/types/load.ts";
import { openTestDevice } from "../helpers.ts";
import {
  actOrderTensors,
  dequantised,
  filesWith,
  modulesOf,
  type Stores,
  withBiases,
} from "../weights/gptq-files.ts";
import { memorySource } from "../weights/memory-source.ts";
import { greedy } from "./golden.ts";

let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});

const LAYERS = ["model.layers.0", "model.layers.1"];

/** As programs write it: matrices with one input have one order. */
function shared(tensors: Stores): Stores {
  for (const layer of LAYERS) {
    const copy = (from: string, to: string) =>
      tensors.set(`${layer}.${to}.g_idx`, tensors.get(`${layer}.${from}.g_idx`)!);
    copy("self_attn.q_proj", "self_attn.k_proj");
    copy("self_attn.q_proj", "self_attn.v_proj");
    copy("mlp.gate_proj", "mlp.up_proj");
  }
  return tensors;
}

const load = async (tensors: Stores, options: LoadOptions = {}) =>
  (await loadModel(memorySource(filesWith(tensors)), {
    ...{ device, chunkLength: 16, parallel: 2 },
    ...options,
  })) as LoadedModel;

const reference = (tensors: Stores, options: LoadOptions = {}) =>
  loadModel(memorySource(filesWith(dequantised(tensors, modulesOf(tensors)), true)), {
    ...{ device, chunkLength: 16, parallel: 2, weights: "f32" },
    ...options,
  });

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), a.length === b.length ? 0 : 1);

/** Longer than a chunk. */
const PROMPT = Array.from({ length: 20 }, (_, i) => (i * 17 + 1) % 53);

async function expectEqual(model: Model, expected: Model): Promise<void> {
  expect(worst(await model.logits(PROMPT), await expected.logits(PROMPT))).toBeLessThan(1e-4);
  const [a, b] = [await model.score(PROMPT), await expected.score(PROMPT)];
  expect(worst(a.logProbs, b.logProbs)).toBeLessThan(1e-4);
  // Two rows of a step; then the keys and values that the steps wrote.
  const [answers, right] = await Promise.all(
    [model, expected].map((each) => Promise.all([[1, 7], [3]].map((ids) => greedy(each, ids, 12)))),
  );
  expect(answers).toEqual(right);
  const all = [1, 7, ...right![0]!];
  expect(worst(await model.logits(all), await expected.logits(all))).toBeLessThan(1e-4);
}

/** How often a kernel of a step runs in each layer. */
const dispatched = (model: LoadedModel, position = 0) =>
  model.measure(async ({ decoder }) => {
    const counts: Record<string, number> = {};
    for (const { label } of decoder.dispatchesOf(position)) counts[label] = (counts[label] ?? 0) + 0.5;
    return counts;
  });
const count = (counts: Record<string, number>, name: RegExp) =>
  Object.entries(counts).reduce((sum, [label, n]) => sum + (name.test(label) ? n : 0), 0);

test("one order for q, k, v and one for gate, up: three gathers a layer, down_proj needs none", async () => {
  const tensors = shared(actOrderTensors());
  const model = await load(tensors);
  const expected = await reference(tensors);
  await expectEqual(model, expected);
  const counts = await dispatched(model);
  expect(counts).toMatchObject({ gather_norm: 2, gather_plain: 1 });
  expect([/^qkv_q4/, /^gate_up_q4/, /^swiglu/].map((name) => count(counts, name))).toEqual([1, 1, 0]);
  expect(await dispatched(expected as LoadedModel)).not.toHaveProperty("gather_norm");
  model.dispose();
  expected.dispose();
});

test.each([
  ["all orders differ: gate_proj and up_proj are multiplied apart", [], /^swiglu/, [6, 1]],
  ["gate_proj is floats: down_proj's input is gathered", ["gate_proj"], /^gate_up_f32/, [5, 1]],
] as const)("%s", async (_name, floats, name, counts) => {
  const tensors = actOrderTensors();
  const modules = LAYERS.flatMap((layer) => floats.map((each) => `${layer}.mlp.${each}`));
  const model = await load(dequantised(tensors, modules));
  const expected = await reference(tensors);
  await expectEqual(model, expected);
  const dispatches = await dispatched(model);
  expect([/^gather_/, name].map((each) => count(dispatches, each))).toEqual(counts);
  model.dispose();
  expected.dispose();
});

test("q, k and v have biases, and orders of their own", async () => {
  const tensors = withBiases(actOrderTensors());
  const model = await load(tensors, { parallel: 1 });
  const expected = await reference(tensors, { parallel: 1 });
  expect(worst(await model.logits(PROMPT), await expected.logits(PROMPT))).toBeLessThan(1e-4);
  expect(await greedy(model, [1, 7], 12)).toEqual(await greedy(expected, [1, 7], 12));
  model.dispose();
  expected.dispose();
});

test("kernels that multiply bytes quantise the input after it is gathered", async () => {
  const idle = await openTestDevice(["backend=null"]);
  const kernels = { matvec: "stream_int8", matmul: "tile_int8" } as const;
  const model = await load(actOrderTensors(), { device: idle, kernels });
  const labels = await model.measure(async ({ decoder }) =>
    decoder.dispatchesOf(0).map(({ label }) => label),
  );
  const part = ["gather_norm", "quantize_input_even_odd_norm", "qkv_q4_stream_int8"];
  expect(labels.slice(1, 10)).toEqual([...part, ...part, ...part]);
  model.dispose();
  idle.destroy();
});
