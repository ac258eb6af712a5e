// The only file that knows how Hugging Face names a checkpoint's tensors.
//
// The rotation convention belongs to the naming scheme. Under these names q_proj and k_proj are permuted for
// rotate-half RoPE: channel i turns with channel i + d/2. The `consolidated.safetensors` that some repositories carry
// has other names (`layers.0.attention.wq.weight`) and interleaved RoPE: channel 2i turns with 2i + 1. Reading one
// with the other's convention gives fluent nonsense, so consolidated files are never opened.
import type { ModelConfig } from "../config.ts";
import { nameOf, type RequiredTensor, type TensorNames, type TensorRole, tensorsOf } from "../tensors.ts";

export const hfNames: TensorNames = {
  embedTokens: "model.embed_tokens.weight",
  inputNorm: "model.layers.{}.input_layernorm.weight",
  qProj: "model.layers.{}.self_attn.q_proj.weight",
  kProj: "model.layers.{}.self_attn.k_proj.weight",
  vProj: "model.layers.{}.self_attn.v_proj.weight",
  oProj: "model.layers.{}.self_attn.o_proj.weight",
  postAttentionNorm: "model.layers.{}.post_attention_layernorm.weight",
  gateProj: "model.layers.{}.mlp.gate_proj.weight",
  upProj: "model.layers.{}.mlp.up_proj.weight",
  downProj: "model.layers.{}.mlp.down_proj.weight",
  finalNorm: "model.norm.weight",
  lmHead: "lm_head.weight",
};

/** A tensor's name. Whatever a file calls its tensors, the engine knows them by these names. */
export const tensorName = (role: TensorRole, layer?: number): string => nameOf(hfNames, role, layer);

/** Every tensor the graph reads, in the order a token meets them. */
export const requiredTensors = (config: ModelConfig): RequiredTensor[] => tensorsOf(config, hfNames);

/**
 * A tensor that lies among the graph's own, so that leaving it out would change the numbers: a bias, a norm of queries, a
 * layer more, the scale of a quantised matrix. Not what other programs keep beside a model: tables of RoPE that are computed
 * here, masks, scales of a cache in another format.
 */
export function belongsToGraph(name: string): boolean {
  return /^(model|lm_head)\./.test(name) && !UNUSED.test(name);
}

const UNUSED =
  /\.(rotary_emb\.(inv_freq|original_inv_freq|cos_cached|sin_cached)|masked_bias|attention\.bias|[kv]_scale|[kv]_zero_point)$/;

/** The one file, the index of several, and the only kind of file that an index may name. */
export const SINGLE_FILE = "model.safetensors";
export const INDEX_FILE = "model.safetensors.index.json";

/** One of several shards, by its name: its number, and how many there are. */
export const SHARD_OF = /^model-(\d{5})-of-(\d{5})\.safetensors$/;

/** A shard's file name: in the folder itself, and never the `consolidated` weights with their other RoPE. */
export function isShardName(name: unknown): name is string {
  return typeof name === "string" && /^(?!consolidated)\w[\w.-]{0,200}\.safetensors$/i.test(name);
}
