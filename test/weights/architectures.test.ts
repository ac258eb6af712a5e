// config.json of the architectures beside Mistral and Llama, and how their files name tensors.
import { expect, test } from "vitest";
import { CheckpointError, openCheckpoint, parseConfig } from "../../weights/index.ts";
import { filesOf, memorySource } from "./memory-source.ts";

const sizes = {
  hidden_size: 64,
  intermediate_size: 96,
  max_position_embeddings: 4096,
  num_attention_heads: 4,
  num_hidden_layers: 4,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-6,
  rope_theta: 1e6,
  vocab_size: 100,
};
const of = (architecture: string, more: object = {}) => ({
  architectures: [architecture],
  ...sizes,
  ...more,
});
const yarn = { rope_type: "yarn", factor: 16, original_max_position_embeddings: 16384 };
const ministral = { ...yarn, rope_theta: 1e6, mscale: 1, mscale_all_dim: 1, llama_4_scaling_beta: 0.1 };

test.each([
  [of("Qwen2ForCausalLM"), { qkvBias: true, qkNorm: false, W: null, bosTokenId: null, eosTokenIds: [] }],
  [of("Qwen2ForCausalLM", { use_sliding_window: false, sliding_window: 8 }), { W: null }],
  [
    of("Qwen3ForCausalLM", { head_dim: 128, attention_bias: false }),
    { qkvBias: false, qkNorm: true, d: 128 },
  ],
  [of("SmolLM3ForCausalLM", { no_rope_layers: [1, 1, 1, 0] }), { noRopeLayers: [3], tied: true }],
  [of("Phi3ForCausalLM", { sliding_window: 2047 }), { W: 2047, tied: false }],
  [of("Phi3ForCausalLM"), { W: null }],
  [
    of("Ministral3ForCausalLM", { rope_parameters: ministral }),
    {
      ropeScaling: {
        ...{ type: "yarn", factor: 16, originalMaxPositions: 16384 },
        ...{ betaFast: 32, betaSlow: 1, truncate: true, magnitude: 1 },
      },
      queryScale: { beta: 0.1, originalMaxPositions: 16384 },
      W: null,
    },
  ],
  [
    of("MistralForCausalLM", {
      rope_scaling: { ...yarn, rope_type: undefined, type: "yarn", finetuned: true },
    }),
    { ropeScaling: { magnitude: 0.1 * Math.log(16) + 1 }, queryScale: null },
  ],
  [
    of("Qwen2ForCausalLM", { rope_scaling: { ...yarn, attention_factor: 1.5, truncate: false } }),
    { ropeScaling: { magnitude: 1.5, truncate: false } },
  ],
  [
    {
      architectures: ["Mistral3ForConditionalGeneration"],
      tie_word_embeddings: true,
      text_config: { ...sizes, model_type: "ministral3", rope_parameters: ministral, eos_token_id: 2 },
    },
    { architecture: "Ministral3ForCausalLM", tied: true, eosTokenIds: [2], D: 64 },
  ],
  [
    {
      architectures: ["Mistral3ForConditionalGeneration"],
      text_config: { ...sizes, model_type: "mistral", sliding_window: null },
    },
    { architecture: "MistralForCausalLM", tied: false, W: null },
  ],
])("%j", async (config, expected) => {
  expect(await parseConfig(config)).toMatchObject(expected);
});

const scaled = (more: object) => of("MistralForCausalLM", { rope_scaling: { ...yarn, ...more } });
const smol = (no_rope_layers: unknown) => of("SmolLM3ForCausalLM", { no_rope_layers });

test.each([
  [of("Qwen2ForCausalLM", { use_sliding_window: true }), /use_sliding_window: expected false/],
  [of("Qwen2ForCausalLM", { layer_types: ["sliding_attention"] }), /layer_types/],
  [of("Qwen2ForCausalLM", { rms_norm_eps: undefined }), /rms_norm_eps/],
  [of("Qwen2ForCausalLM", { rope_theta: undefined }), /rope_theta/],
  [of("Qwen2ForCausalLM", { dual_chunk_attention_config: {} }), /dual_chunk_attention_config/],
  [of("Qwen2ForCausalLM", { rope_scaling: { type: "mrope" } }), /rope_scaling: type: .*"mrope"/],
  [of("Qwen3ForCausalLM", { attention_bias: true }), /attention_bias/],
  [of("Qwen3MoeForCausalLM"), /architectures: .*Qwen3MoeForCausalLM/],
  [of("Gemma2ForCausalLM"), /architectures: .*Gemma2ForCausalLM/],
  [of("Phi3ForCausalLM", { partial_rotary_factor: 0.75 }), /partial_rotary_factor: expected 1, got 0.75/],
  [of("Phi3ForCausalLM", { rope_scaling: { type: "longrope" } }), /rope_scaling: type: .*"longrope"/],
  [smol(undefined), /no_rope_layers/],
  [smol([1, 1, 1]), /no_rope_layers: expected 0 or 1 for each of 4 layers/],
  [smol([1, 1, 1, 2]), /no_rope_layers/],
  [smol([1, 1, 1, "0"]), /no_rope_layers/],
  [smol({ length: 4 }), /no_rope_layers/],
  [scaled({ factor: 0 }), /rope_scaling: factor/],
  [scaled({ factor: Number.NaN }), /rope_scaling: factor/],
  [scaled({ factor: "16" }), /rope_scaling: factor/],
  [scaled({ original_max_position_embeddings: 0 }), /original_max_position_embeddings/],
  [scaled({ beta_slow: 0 }), /beta_slow/],
  [scaled({ beta_fast: 0.5 }), /beta_fast: expected at least beta_slow \(1\), got 0.5/],
  [scaled({ mscale: -1 }), /mscale/],
  [scaled({ attention_factor: 0 }), /attention_factor/],
  [scaled({ truncate: 1 }), /truncate/],
  [scaled({ llama_4_scaling_beta: 0.1 }), /llama_4_scaling_beta/],
  [{ ...scaled({}), rope_theta: 1 }, /rope_theta: expected more than 1/],
  [
    of("Ministral3ForCausalLM", { rope_parameters: { ...ministral, llama_4_scaling_beta: -1 } }),
    /rope_parameters: llama_4_scaling_beta/,
  ],
  [{ architectures: ["Mistral3ForConditionalGeneration"] }, /text_config: expected a JSON object/],
  [
    {
      architectures: ["Mistral3ForConditionalGeneration"],
      text_config: { ...sizes, model_type: "ministral3", hidden_size: 0 },
    },
    /text_config: hidden_size/,
  ],
])("%j is refused", async (config, words) => {
  await expect(parseConfig(config)).rejects.toThrow(CheckpointError);
  await expect(parseConfig(config)).rejects.toThrow(words);
});

const golden = (name: string) => filesOf(`test/golden/architectures/${name}`);

/** The same files with other text, of the same length, in the header of the weights. */
function renamed(name: string, from: string, to: string) {
  const files = golden(name);
  const weights = files["model.safetensors"] as Uint8Array;
  const text = new TextDecoder("latin1").decode(weights).replaceAll(from, to);
  return { ...files, "model.safetensors": Uint8Array.from(text, (character) => character.charCodeAt(0)) };
}

test("fused matrices are read by their rows", async () => {
  const { tensors } = await openCheckpoint(memorySource(golden("phi3_fused")));
  const [q, k, v] = ["q", "k", "v"].map(
    (each) => tensors.get(`model.layers.1.self_attn.${each}_proj.weight`)!,
  );
  expect([q, k, v].map((tensor) => tensor?.shape)).toEqual([
    [48, 48],
    [24, 48],
    [24, 48],
  ]);
  expect([q!.end, k!.end]).toEqual([k!.start, v!.start]);
  expect(v!.end - v!.start).toBe(2 * 24 * 48);
  const files = golden("phi3_fused");
  const config = JSON.parse(new TextDecoder().decode(files["config.json"] as Uint8Array));
  const other = {
    ...files,
    "config.json": new TextEncoder().encode(JSON.stringify({ ...config, num_key_value_heads: 4 })),
  };
  await expect(openCheckpoint(memorySource(other))).rejects.toThrow(
    /qkv_proj\.weight: expected 144 rows, got 96/,
  );
});

test("a language model inside another, under either prefix; nothing of it may be unknown", async () => {
  const { tensors, config } = await openCheckpoint(memorySource(golden("ministral3_wrapped")));
  expect(config.tied).toBe(true);
  expect(
    [...tensors.keys()].filter((name) => !/^model\.(layers\.[01]|embed_tokens|norm)\./.test(name)),
  ).toEqual([]);
  const newer = renamed("ministral3_wrapped", "language_model.model.", "model.language_model.");
  const again = await openCheckpoint(memorySource(newer));
  expect([...again.tensors.keys()]).toEqual([...tensors.keys()]);
  const bias = renamed("ministral3_wrapped", "vision_tower.ln_pre.weight", "model.language_model.n.bia");
  await expect(openCheckpoint(memorySource(bias))).rejects.toThrow(/model\.n\.bia: expected no tensor/);
});
