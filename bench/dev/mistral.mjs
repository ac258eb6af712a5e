// For generating checkpoints of Mistral's architecture: config.json, and the tensors in the order of Hugging
// Face's shards.

/**
 * @typedef {object} Shape letters of ARCHITECTURE.md
 * @property {number} L @property {number} D @property {number} H @property {number} G
 * @property {number} d @property {number} F @property {number} V @property {number | null} W
 */
/** @typedef {{ name: string, shape: number[] }} Tensor */

/** @param {Shape} shape */
export const configOf = ({ L, D, H, G, d, F, V, W }) => ({
  architectures: ["MistralForCausalLM"],
  model_type: "mistral",
  hidden_act: "silu",
  hidden_size: D,
  intermediate_size: F,
  num_attention_heads: H,
  num_hidden_layers: L,
  num_key_value_heads: G,
  head_dim: d,
  max_position_embeddings: 32768,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  sliding_window: W,
  tie_word_embeddings: false,
  torch_dtype: "bfloat16",
  vocab_size: V,
  bos_token_id: 1,
  eos_token_id: 2,
});

/**
 * @param {Shape} shape
 * @returns {Tensor[]}
 */
export function tensorsOf({ L, D, H, G, d, F, V }) {
  const layer = (/** @type {number} */ i) => {
    const name = `model.layers.${i}`;
    return [
      { name: `${name}.input_layernorm.weight`, shape: [D] },
      { name: `${name}.mlp.down_proj.weight`, shape: [D, F] },
      { name: `${name}.mlp.gate_proj.weight`, shape: [F, D] },
      { name: `${name}.mlp.up_proj.weight`, shape: [F, D] },
      { name: `${name}.post_attention_layernorm.weight`, shape: [D] },
      { name: `${name}.self_attn.k_proj.weight`, shape: [G * d, D] },
      { name: `${name}.self_attn.o_proj.weight`, shape: [D, H * d] },
      { name: `${name}.self_attn.q_proj.weight`, shape: [H * d, D] },
      { name: `${name}.self_attn.v_proj.weight`, shape: [G * d, D] },
    ];
  };
  return [
    { name: "model.embed_tokens.weight", shape: [V, D] },
    ...Array.from({ length: L }, (_, i) => layer(i)).flat(),
    { name: "model.norm.weight", shape: [D] },
    { name: "lm_head.weight", shape: [V, D] },
  ];
}

/** Number of weights of a tensor. */
export const sizeOf = (/** @type {Tensor} */ { shape }) => shape.reduce((product, n) => product * n, 1);

/** @param {Tensor[]} tensors */
export const parametersOf = (tensors) => tensors.reduce((sum, tensor) => sum + sizeOf(tensor), 0);

/**
 * The start of a safetensors file with these tensors in bf16, back to back; their data follows.
 * @param {Tensor[]} tensors
 */
export const safetensorsHeader = (tensors) =>
  headerOf(tensors.map((tensor) => ({ ...tensor, dtype: "BF16", bytes: 2 })));

/**
 * The same for tensors in any encoding.
 * @param {(Tensor & { dtype: string, bytes: number })[]} tensors `bytes` of a number
 */
export function headerOf(tensors) {
  let at = 0;
  const entries = tensors.map((tensor) => {
    const start = at;
    at += tensor.bytes * sizeOf(tensor);
    return [tensor.name, { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [start, at] }];
  });
  const json = Buffer.from(
    JSON.stringify(Object.fromEntries([["__metadata__", { format: "pt" }], ...entries])),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json]);
}
