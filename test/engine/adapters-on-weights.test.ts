// LoRA adapters beside weights of other kinds, against the same adapter merged into them.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadModel, mergeModel } from "../../engine/node.ts";
import { folderSource, type ModelConfig, openCheckpoint, type Source } from "../../weights/node.ts";
import { openTestDevice } from "../helpers.ts";
import { isSlowDriver } from "../slow-driver.ts";
import { adapterSource, type F32Tensor, floats } from "../weights/adapter-files.ts";

const root = new URL("../golden/", import.meta.url).pathname;
const ids = [5, 17, 3, 80, 41, 9, 2];

let device: GPUDevice;
const folders: string[] = [];
beforeAll(async () => {
  device = await openTestDevice();
});
afterAll(() => {
  device.destroy();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** A and B of rank 2 for a matrix [N, K]. */
const pair = (module: string, [N, K]: readonly [number, number], seed: number): F32Tensor[] => [
  floats(`base_model.model.${module}.lora_A.weight`, [2, K], (i) => Math.sin(i * seed + 1) / 4),
  floats(`base_model.model.${module}.lora_B.weight`, [N, 2], (i) => Math.cos(i * (seed + 1)) / 6),
];

/** DoRA of these matrices of each layer, with rows of lengths that they do not have. */
function dora(L: number, matrices: Readonly<Record<string, readonly [N: number, K: number]>>): Source {
  const tensors = Array.from({ length: L }, (_, layer) =>
    Object.entries(matrices).flatMap(([name, shape], m) => {
      const module = `model.layers.${layer}.${name}`;
      const vector = `base_model.model.${module}.lora_magnitude_vector`;
      return [
        ...pair(module, shape, layer + m + 1),
        floats(vector, [shape[0]], (i) => 0.5 + Math.sin(i + m) / 4),
      ];
    }),
  );
  return adapterSource({ r: 2, use_dora: true, target_modules: "all-linear" }, tensors.flat());
}

/** LoRA of the embedding and of lm_head, which may be one tensor. */
const ofTokens = ({ V, D }: ModelConfig): Source =>
  adapterSource({ r: 2, target_modules: ["embed_tokens", "lm_head"] }, [
    floats("base_model.model.model.embed_tokens.lora_embedding_A", [2, V], (i) => Math.sin(i * 3) / 4),
    floats("base_model.model.model.embed_tokens.lora_embedding_B", [D, 2], (i) => Math.cos(i * 5) / 4),
    ...pair("lm_head", [V, D], 7),
  ]);

const fused = ({ L, D, F, H, G, d }: ModelConfig): Source =>
  dora(L, {
    "self_attn.qkv_proj": [(H + 2 * G) * d, D],
    "self_attn.o_proj": [D, H * d],
    "mlp.gate_up_proj": [2 * F, D],
  });

const apart = ({ L, D, F, H, G, d }: ModelConfig): Source =>
  dora(L, {
    "self_attn.q_proj": [H * d, D],
    "self_attn.k_proj": [G * d, D],
    "self_attn.v_proj": [G * d, D],
    "self_attn.o_proj": [D, H * d],
    "mlp.gate_proj": [F, D],
    "mlp.up_proj": [F, D],
    "mlp.down_proj": [D, F],
  });

test.skipIf(isSlowDriver).each([
  ["architectures/phi3_fused", "DoRA", fused],
  ["architectures/phi3_fused", "embedding and lm_head", ofTokens],
  ["formats/gguf_q4_0", "DoRA", apart],
  ["formats/gguf_q4_k", "DoRA", apart],
  ["formats/gguf_q4_0", "embedding and lm_head", ofTokens],
  ["quantised/gptq_4bit_sym_g32", "DoRA", apart],
] as const)("%s, %s: as merged", async (folder, _, adapterFor) => {
  const { config } = await openCheckpoint(folderSource(root + folder));
  const adapter = adapterFor(config);
  const out = mkdtempSync(join(tmpdir(), "sirocco-merged-"));
  folders.push(out);
  await mergeModel(root + folder, { adapter, out });
  const merged = await loadModel(out, { device, weights: "f32" });
  const model = await loadModel(root + folder, { device, adapters: { tuned: adapter } });
  const expected = await merged.logits(ids);
  const worst = (logits: Float32Array): number =>
    logits.reduce((most, x, i) => Math.max(most, Math.abs(x - expected[i]!)), 0);
  const changed = worst(await model.logits(ids));
  // Merged weights are rounded to bf16.
  const off = worst(await model.logits(ids, { adapter: "tuned" }));
  expect(off).toBeLessThan(changed / 20);
  merged.dispose();
  model.dispose();
});
