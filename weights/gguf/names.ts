// How GGUF names the tensors of a model (llama.cpp, gguf-py/gguf/constants.py).
import type { ModelConfig } from "../config.ts";
import { requiredTensors } from "../safetensors/names.ts";
import { nameOf, type RequiredTensor, type TensorNames } from "../tensors.ts";

const ggufNames: TensorNames = {
  embedTokens: "token_embd.weight",
  inputNorm: "blk.{}.attn_norm.weight",
  qProj: "blk.{}.attn_q.weight",
  kProj: "blk.{}.attn_k.weight",
  vProj: "blk.{}.attn_v.weight",
  qBias: "blk.{}.attn_q.bias",
  kBias: "blk.{}.attn_k.bias",
  vBias: "blk.{}.attn_v.bias",
  qNorm: "blk.{}.attn_q_norm.weight",
  kNorm: "blk.{}.attn_k_norm.weight",
  oProj: "blk.{}.attn_output.weight",
  postAttentionNorm: "blk.{}.ffn_norm.weight",
  gateProj: "blk.{}.ffn_gate.weight",
  upProj: "blk.{}.ffn_up.weight",
  downProj: "blk.{}.ffn_down.weight",
  finalNorm: "output_norm.weight",
  lmHead: "output.weight",
};

export const LM_HEAD = ggufNames.lmHead;
/** f32 [d / 2]: what RoPE's frequencies are divided by. */
export const ROPE_DIVISORS = "rope_freqs.weight";

export interface RequiredInFile extends RequiredTensor {
  /** The name in the file. `name` is the engine's. */
  readonly stored: string;
}

/** Every tensor that the graph reads. */
export const requiredInFile = (config: ModelConfig): RequiredInFile[] =>
  requiredTensors(config).map((tensor) => ({
    ...tensor,
    stored: nameOf(ggufNames, tensor.role, tensor.layer),
  }));

/** Whether a tensor is a part of the graph, so that ignoring it would change the results. */
export const belongsToGraph = (name: string): boolean =>
  /^(blk|token_embd|output|rope_factors)\b/.test(name) && !/\.attn_rot_embd\b/.test(name);

/** The name of a part of a split file: its number, and the number of parts. */
export const PART_OF = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i;

/** The name of a part of the same file. */
export const partName = (stem: string, part: number, count: number): string =>
  `${stem}-${String(part).padStart(5, "0")}-of-${String(count).padStart(5, "0")}.gguf`;
