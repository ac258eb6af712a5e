// A binding limit so small that every matrix is split by rows over several buffers: prefill, decode and score
// give the same numbers, at the first and the last row of every part.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { modelLayout } from "../../engine/graph/layout.ts";
import { DeviceError, loadModel, type Model, planModel, quantizeModel } from "../../engine/node.ts";
import { weightFormats } from "../../kernels/index.ts";
import { formatsOf } from "../../weights/index.ts";
import { openTestDevice } from "../helpers.ts";
import { fabricate } from "./fabricate.ts";

/**
 * Matrices of similar size, so that one limit splits each in two: every part costs compiling, a second layer
 * costs none. Heads of q, q | q, k, v: a part begins within a tensor, and holds several.
 */
const family = fabricate({
  architectures: ["LlamaForCausalLM"],
  num_hidden_layers: 2,
  hidden_size: 32,
  intermediate_size: 21,
  num_attention_heads: 3,
  num_key_value_heads: 1,
  head_dim: 8,
  vocab_size: 53,
  max_position_embeddings: 64,
});

const root = mkdtempSync(join(tmpdir(), "sirocco-split-"));
afterAll(() => rmSync(root, { recursive: true }));

const largest = (a: Float32Array, b: Float32Array): number =>
  a.reduce((max, value, i) => Math.max(max, Math.abs(value - b[i]!)), a.length === b.length ? 0 : Infinity);

async function answer(model: Model, prompt: number[], maxTokens: number, logitBias = {}): Promise<number[]> {
  const ids: number[] = [];
  for await (const chunk of model.generate(prompt, { temperature: 0, maxTokens, logitBias, ignoreEos: true }))
    ids.push(...chunk.ids);
  return ids;
}

// A row takes 128 bytes of f32 or 16 of q4, and o_proj and down_proj have 32: a limit of 31 of them.
describe.each([
  ["f32", 31 * 128],
  ["q4", 31 * 16],
] as const)("%s, bindings of at most %d bytes", (weights, maxBindingBytes) => {
  // One device: the models share compiled pipelines.
  let device: GPUDevice;
  let [whole, split]: Model[] = [];
  /** The first and the last row of every part of the embedding, and of lm_head. */
  let edges: number[] = [];

  beforeAll(async () => {
    device = await openTestDevice();
    const options = { weights, device, chunkLength: 16 };
    whole = await loadModel(family, options);
    split = await loadModel(family, { ...options, maxBindingBytes });
    const { embedTokens, lmHead } = modelLayout(
      whole.config,
      formatsOf(weights, whole.config),
      maxBindingBytes,
    );
    const parts = [...embedTokens.parts, ...lmHead.parts];
    edges = [...new Set(parts.flatMap(({ first, count }) => [first, first + count - 1]))];
  });
  afterAll(() => {
    whole?.dispose();
    split?.dispose();
  });

  test("every matrix is split", () => {
    const { embedTokens, layers, lmHead } = modelLayout(
      whole!.config,
      formatsOf(weights, whole!.config),
      maxBindingBytes,
    );
    const parts = [
      embedTokens,
      lmHead,
      ...layers.flatMap(({ qkv, oProj, gateUp, downProj }) => [qkv, oProj, gateUp, downProj]),
    ];
    // Beside q4, lm_head is kept as q8, of twice the bytes.
    const inHead = weights === "q4" ? 4 : 2;
    expect(parts.map((matrix) => matrix.parts.length)).toEqual([2, inHead, ...Array(8).fill(2)]);
    expect(split!.plan.weightBytes).toBe(whole!.plan.weightBytes);
    const more = weights === "q4" ? [12, 13, 38, 39] : [];
    expect(edges).toEqual([0, 25, 26, 52, ...more]);
  });

  test("prefill: the last token is each edge in turn, logits of all rows", async () => {
    const seen = new Set<string>();
    for (const id of edges) {
      // Longer than a chunk, so that there are two of them.
      const ids = [...edges, 3, 40, 5, 6, 7, 8, ...edges, 9, 10, 11, id];
      const [a, b] = [await split!.logits(ids), await whole!.logits(ids)];
      expect(largest(a, b), `token ${id}`).toBeLessThan(1e-4);
      for (const row of edges) expect(a[row]).not.toBe(0);
      seen.add(a.join());
    }
    expect(seen.size).toBe(edges.length);
  });

  test("decode: each edge row is picked and run, and leaves the same keys and values in the cache", async () => {
    for (const id of edges) {
      const answers = [];
      for (const model of [split!, whole!]) {
        const prompt = [1, 7];
        const ids = await answer(model, prompt, 3, { [id]: 1e4 });
        expect(ids).toEqual([id, id, id]);
        // The first two were decoded, so their keys and values are in both layers: only the third
        // is new.
        answers.push(await model.logits([...prompt, ...ids]));
      }
      expect(largest(answers[0]!, answers[1]!), `token ${id}`).toBeLessThan(1e-4);
    }
    expect(await answer(split!, [1, 50, 30], 24)).toEqual(await answer(whole!, [1, 50, 30], 24));
  });

  test("score", async () => {
    const ids = [1, ...edges, ...edges.toReversed(), 17];
    const [a, b] = [await split!.score(ids), await whole!.score(ids)];
    expect(largest(a.logProbs, b.logProbs)).toBeLessThan(1e-4);
  });

  test("a limit one byte too small for a unit is refused with the numbers", async () => {
    // The largest unit: a head, 8 rows of 32 weights.
    const needed = 8 * 4 * weightFormats[weights].words(32);
    const error = await planModel(family, { device, weights, maxBindingBytes: needed - 1 }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(DeviceError);
    expect((error as Error).message).toMatch(
      new RegExp(
        `layers\\.0\\.self_attn\\.q_proj.*at most ${needed - 1} bytes, 8 rows in ${weights} need ${needed}\\. Load`,
      ),
    );
    expect((await planModel(family, { device, weights, maxBindingBytes: needed })).weights).toBe(weights);
  });

  test("a packed checkpoint is split as well, at the same rows", async () => {
    const out = join(root, weights);
    await quantizeModel(family, { weights, out });
    const packed = await loadModel(out, { device, chunkLength: 16, maxBindingBytes });
    const ids = [...edges, 17];
    expect(await packed.logits(ids)).toEqual(await split!.logits(ids));
    packed.dispose();
  });
});
