// The only file that knows how Hugging Face names a checkpoint's tensors.
//
// The rotation convention belongs to the naming scheme. Under these names q_proj and k_proj are permuted for
// rotate-half RoPE: channel i turns with channel i + d/2. The `consolidated.safetensors` that some repositories carry
// has other names (`layers.0.attention.wq.weight`) and interleaved RoPE: channel 2i turns with 2i + 1. Reading one
// with the other's convention gives fluent nonsense, so consolidated files are never opened.
import type { ModelConfig } from "../config.ts";

/** A tensor that the graph needs. Matrices are [rows, columns] = [outputs, inputs]. */
export interface RequiredTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** V×D: row t is the embedding of token t. */
export const embedTokens = "model.embed_tokens.weight";
/** [D]. */
export const finalNorm = "model.norm.weight";
/** V×D; not stored where the embedding is tied. */
export const lmHead = "lm_head.weight";

/** Names of the nine tensors of layer i. */
export interface LayerNames {
  readonly inputNorm: string;
  readonly qProj: string;
  readonly kProj: string;
  readonly vProj: string;
  readonly oProj: string;
  readonly postAttentionNorm: string;
  readonly gateProj: string;
  readonly upProj: string;
  readonly downProj: string;
}

export function layerNames(i: number): LayerNames {
  const layer = `model.layers.${i}`;
  return {
    inputNorm: `${layer}.input_layernorm.weight`,
    qProj: `${layer}.self_attn.q_proj.weight`,
    kProj: `${layer}.self_attn.k_proj.weight`,
    vProj: `${layer}.self_attn.v_proj.weight`,
    oProj: `${layer}.self_attn.o_proj.weight`,
    postAttentionNorm: `${layer}.post_attention_layernorm.weight`,
    gateProj: `${layer}.mlp.gate_proj.weight`,
    upProj: `${layer}.mlp.up_proj.weight`,
    downProj: `${layer}.mlp.down_proj.weight`,
  };
}

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

/** Every tensor the graph reads, in the order a token meets them. */
export function requiredTensors(config: ModelConfig): RequiredTensor[] {
  const { L, D, F, H, G, d, V, tied } = config;
  const tensors: RequiredTensor[] = [{ name: embedTokens, shape: [V, D] }];
  for (let i = 0; i < L; i++) {
    const names = layerNames(i);
    tensors.push(
      { name: names.inputNorm, shape: [D] },
      { name: names.qProj, shape: [H * d, D] },
      { name: names.kProj, shape: [G * d, D] },
      { name: names.vProj, shape: [G * d, D] },
      { name: names.oProj, shape: [D, H * d] },
      { name: names.postAttentionNorm, shape: [D] },
      { name: names.gateProj, shape: [F, D] },
      { name: names.upProj, shape: [F, D] },
      { name: names.downProj, shape: [D, F] },
    );
  }
  tensors.push({ name: finalNorm, shape: [D] });
  if (!tied) tensors.push({ name: lmHead, shape: [V, D] });
  return tensors;
}

/** The one file, the index of several, and the only kind of file that an index may name. */
export const SINGLE_FILE = "model.safetensors";
export const INDEX_FILE = "model.safetensors.index.json";

/** One of several shards, by its name: its number, and how many there are. */
export const SHARD_OF = /^model-(\d{5})-of-(\d{5})\.safetensors$/;

/** A shard's file name: in the folder itself, and never the `consolidated` weights with their other RoPE. */
export function isShardName(name: unknown): name is string {
  return typeof name === "string" && /^(?!consolidated)\w[\w.-]{0,200}\.safetensors$/i.test(name);
}
