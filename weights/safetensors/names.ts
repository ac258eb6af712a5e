// How Hugging Face names the tensors and files of a checkpoint.
//
// The convention of RoPE belongs to the naming scheme. Under these names the rows of q_proj and k_proj are
// ordered for rotate-half RoPE: channel i is rotated with channel i + d/2. Some repositories also have
// `consolidated.safetensors`, with other names (`layers.0.attention.wq.weight`) and interleaved RoPE: channel
// 2i is rotated with 2i + 1. Reading one with the convention of the other gives fluent nonsense, so
// consolidated files are never opened.
import type { ModelConfig } from "../config.ts";
import { nameOf, type RequiredTensor, type TensorNames, type TensorRole, tensorsOf } from "../tensors.ts";

export const hfNames: TensorNames = {
  embedTokens: "model.embed_tokens.weight",
  inputNorm: "model.layers.{}.input_layernorm.weight",
  qProj: "model.layers.{}.self_attn.q_proj.weight",
  kProj: "model.layers.{}.self_attn.k_proj.weight",
  vProj: "model.layers.{}.self_attn.v_proj.weight",
  qBias: "model.layers.{}.self_attn.q_proj.bias",
  kBias: "model.layers.{}.self_attn.k_proj.bias",
  vBias: "model.layers.{}.self_attn.v_proj.bias",
  qNorm: "model.layers.{}.self_attn.q_norm.weight",
  kNorm: "model.layers.{}.self_attn.k_norm.weight",
  oProj: "model.layers.{}.self_attn.o_proj.weight",
  postAttentionNorm: "model.layers.{}.post_attention_layernorm.weight",
  gateProj: "model.layers.{}.mlp.gate_proj.weight",
  upProj: "model.layers.{}.mlp.up_proj.weight",
  downProj: "model.layers.{}.mlp.down_proj.weight",
  finalNorm: "model.norm.weight",
  lmHead: "lm_head.weight",
};

/** The name of a tensor in the engine, whatever its file calls it. */
export const tensorName = (role: TensorRole, layer?: number): string => nameOf(hfNames, role, layer);

/** Every tensor that the graph reads, in the order of the table. */
export const requiredTensors = (config: ModelConfig): RequiredTensor[] => tensorsOf(config, hfNames);

/**
 * Whether a tensor is a part of the graph, so that ignoring it would change the results: a bias, a norm of
 * queries, a further layer, the scale of a quantised matrix. False for tensors that other programs store
 * beside a model: RoPE tables, masks, scales of a quantised cache.
 */
export function belongsToGraph(name: string): boolean {
  return /^(model|lm_head)\./.test(name) && !UNUSED.test(name);
}

const UNUSED =
  /\.(rotary_emb\.(inv_freq|original_inv_freq|cos_cached|sin_cached)|masked_bias|attention\.bias|[kv]_scale|[kv]_zero_point)$/;

/** A checkpoint in one file, and the index of one in several. */
export const SINGLE_FILE = "model.safetensors";
export const INDEX_FILE = "model.safetensors.index.json";

/** The name of a shard: its number, and the number of shards. */
export const SHARD_OF = /^model-(\d{5})-of-(\d{5})\.safetensors$/;

/**
 * Whether an index may name this file: in the same folder, and not `consolidated` weights with their other
 * RoPE.
 */
export function isShardName(name: unknown): name is string {
  return typeof name === "string" && /^(?!consolidated)\w[\w.-]{0,200}\.safetensors$/i.test(name);
}

/** Whether a file may hold weights without an index: a shard, or all of them under a name of its own. */
export const isLooseShard = (name: string): boolean => isShardName(name) && !/^adapter_/i.test(name);
