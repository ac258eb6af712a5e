// Metadata -> a config.json of Hugging Face, so that parseConfig's checks hold for GGUF, too.
import type { JsonObject } from "../json.ts";
import { requireModel } from "./kinds.ts";
import { type Metadata, shortest, UNSUPPORTED } from "./metadata.ts";
import { tokenIds } from "./token-ids.ts";

interface Architecture {
  /** The class of transformers that computes the same. */
  readonly name: string;
  readonly modelType: string;
  /** Rows of q and k are stored in the order of interleaved RoPE. */
  readonly interleaved: boolean;
  /** Its metadata may scale queries by position, and the two halves of YaRN's magnitude. */
  readonly yarnOfItsOwn?: true;
}

/** By `general.architecture`. */
const ARCHITECTURES: ReadonlyMap<string, Architecture> = new Map([
  ["llama", { name: "LlamaForCausalLM", modelType: "llama", interleaved: true }],
  [
    "mistral3",
    { name: "Ministral3ForCausalLM", modelType: "ministral3", interleaved: true, yarnOfItsOwn: true },
  ],
  ["qwen2", { name: "Qwen2ForCausalLM", modelType: "qwen2", interleaved: false }],
  ["qwen3", { name: "Qwen3ForCausalLM", modelType: "qwen3", interleaved: false }],
]);

/** Keys after the name of the architecture that change the numbers, and the value that changes nothing. */
const NEUTRAL: readonly (readonly [key: string, value: number])[] = [
  ["expert_count", 0],
  ["expert_used_count", 0],
  ["logit_scale", 1],
  ["embedding_scale", 1],
  ["residual_scale", 1],
  ["attention.clamp_kqv", 0],
  ["attention.max_alibi_bias", 0],
  ["attn_logit_softcapping", 0],
  ["final_logit_softcapping", 0],
  // Factors of YaRN's magnitude: llama.cpp and transformers mean different things by them.
  ["rope.scaling.attn_factor", 1],
  ["rope.scaling.yarn_attn_factor", 1],
];

const TEMPERATURE = "attention.temperature_scale";
const LOG_MULTIPLIER = "rope.scaling.yarn_log_multiplier";
/** The same, for architectures without a YaRN of their own. */
const OF_OTHERS: typeof NEUTRAL = [
  [TEMPERATURE, 0],
  [LOG_MULTIPLIER, 0],
];

export interface GgufConfig {
  readonly architecture: Architecture;
  /** As config.json has it, but for RoPE's divisors and tied embeddings, which the tensors say. */
  readonly json: JsonObject;
}

/** @throws CheckpointError naming the key, for models that are not supported and files that are no models */
export function readConfig(metadata: Metadata): GgufConfig {
  requireModel(metadata);
  const key = "general.architecture";
  const family = metadata.text(key);
  const architecture = ARCHITECTURES.get(family ?? "");
  if (!architecture || family === undefined) {
    throw metadata.wrong(key, `one of ${[...ARCHITECTURES.keys()].join(", ")}`, UNSUPPORTED);
  }
  const own = (name: string): string => `${family}.${name}`;
  const given = (name: string) => metadata.number(own(name));
  const size = (name: string) => metadata.required(own(name));
  for (const [name, neutral] of architecture.yarnOfItsOwn ? NEUTRAL : [...NEUTRAL, ...OF_OTHERS]) {
    if ((given(name) ?? neutral) !== neutral) throw metadata.wrong(own(name), `${neutral}`, UNSUPPORTED);
  }
  const heads = size("attention.head_count");
  const width = size("embedding_length");
  const headDim = given("attention.key_length") ?? width / heads;
  for (const name of ["attention.value_length", "rope.dimension_count"]) {
    const value = given(name) ?? headDim;
    if (value !== headDim) throw metadata.wrong(own(name), `${headDim}, the width of a head`, UNSUPPORTED);
  }
  const window = given("attention.sliding_window");
  if (window !== undefined && family !== "llama")
    throw metadata.wrong(own("attention.sliding_window"), "nothing in this architecture", UNSUPPORTED);
  return {
    architecture,
    json: {
      // A llama with a window is what Mistral's first models are.
      architectures: [window === undefined ? architecture.name : "MistralForCausalLM"],
      model_type: window === undefined ? architecture.modelType : "mistral",
      sliding_window: window ?? null,
      num_hidden_layers: size("block_count"),
      hidden_size: width,
      intermediate_size: size("feed_forward_length"),
      num_attention_heads: heads,
      num_key_value_heads: given("attention.head_count_kv") ?? heads,
      head_dim: headDim,
      vocab_size: given("vocab_size") ?? metadata.texts("tokenizer.ggml.tokens")?.length,
      rms_norm_eps: shortest(size("attention.layer_norm_rms_epsilon")),
      rope_theta: shortest(given("rope.freq_base") ?? 10000),
      max_position_embeddings: size("context_length"),
      ...scaling(metadata, own),
      ...tokenIds(metadata),
    },
  };
}

/** `rope_scaling` of config.json. Llama 3's is in a tensor. Without a type it is linear, as in llama.cpp. */
function scaling(metadata: Metadata, own: (name: string) => string): JsonObject {
  const key = own("rope.scaling.type");
  const old = metadata.number(own("rope.scale_linear")) ?? 1;
  const type = metadata.text(key) ?? "linear";
  const factor = shortest(metadata.number(own("rope.scaling.factor")) ?? old);
  // Without YaRN nothing says from which position on queries are scaled.
  if ((type !== "yarn" || factor === 1) && (metadata.number(own(TEMPERATURE)) ?? 0) !== 0)
    throw metadata.wrong(own(TEMPERATURE), "0 without YaRN", UNSUPPORTED);
  if (type === "none" || factor === 1) return {};
  if (type === "linear") return { rope_scaling: { rope_type: "linear", factor } };
  if (type === "yarn") return { rope_scaling: { rope_type: "yarn", factor, ...yarn(metadata, own) } };
  throw metadata.wrong(key, '"none", "linear" or "yarn"', UNSUPPORTED);
}

/**
 * YaRN as llama.cpp writes it. With a multiplier of the logarithm the magnitude is transformers' ratio of
 * `mscale`, which is 1, and `mscale_all_dim`.
 */
function yarn(metadata: Metadata, own: (name: string) => string): JsonObject {
  const real = (name: string) => {
    const value = metadata.number(own(name));
    return value === undefined ? undefined : shortest(value);
  };
  const mix = own("rope.scaling.yarn_ext_factor");
  // -1: not given.
  if (![1, -1].includes(metadata.number(mix) ?? 1)) throw metadata.wrong(mix, "1", UNSUPPORTED);
  const multiplier = real(LOG_MULTIPLIER) || undefined;
  return {
    original_max_position_embeddings:
      metadata.number(own("rope.scaling.original_context_length")) ??
      metadata.required(own("context_length")),
    beta_fast: real("rope.scaling.yarn_beta_fast"),
    beta_slow: real("rope.scaling.yarn_beta_slow"),
    ...(multiplier !== undefined && { mscale: 1, mscale_all_dim: multiplier }),
    llama_4_scaling_beta: real(TEMPERATURE) || undefined,
  };
}
