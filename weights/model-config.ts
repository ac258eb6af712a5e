// What the engine knows of a model, and what an architecture does to it.
import type { Fields } from "./fields.ts";

/** How RoPE's frequencies are scaled for contexts longer than the model was first trained for. */
export type RopeScaling =
  | {
      /** All frequencies are divided by `factor`. */
      readonly type: "linear";
      /** How many times longer the context is. */
      readonly factor: number;
    }
  | {
      /**
       * Llama 3.1's rule: low frequencies are divided by `factor`, high ones stay, those between are
       * interpolated.
       */
      readonly type: "llama3";
      /** How many times longer the context is. */
      readonly factor: number;
      /** Frequencies below this many turns in `originalMaxPositions` are low. */
      readonly lowFreqFactor: number;
      /** Frequencies above this many turns in `originalMaxPositions` are high. */
      readonly highFreqFactor: number;
      /** Context that the model was first trained for, in tokens. */
      readonly originalMaxPositions: number;
    }
  | {
      /**
       * YaRN: as llama3 by another rule, and rotated queries and keys grow by `magnitude`.
       */
      readonly type: "yarn";
      /** How many times longer the context is. */
      readonly factor: number;
      /** Pairs that make more turns than this in `originalMaxPositions` keep their frequency. */
      readonly betaFast: number;
      /** Pairs that make fewer turns have theirs divided by `factor`. */
      readonly betaSlow: number;
      /** Whether the limits between them are rounded to whole pairs. */
      readonly truncate: boolean;
      /** Context that the model was first trained for, in tokens. */
      readonly originalMaxPositions: number;
      /** Factor of cos and sin. */
      readonly magnitude: number;
    };

/** A query at position p is multiplied by 1 + beta · ln(1 + ⌊p / originalMaxPositions⌋). */
export interface QueryScale {
  readonly beta: number;
  readonly originalMaxPositions: number;
}

/** Sizes and constants of a model, in the letters of ARCHITECTURE.md. */
export interface ModelConfig {
  /** Name of the model class, from `architectures` or `model_type`. */
  readonly architecture:
    | "MistralForCausalLM"
    | "LlamaForCausalLM"
    | "Ministral3ForCausalLM"
    | "Qwen2ForCausalLM"
    | "Qwen3ForCausalLM"
    | "SmolLM3ForCausalLM"
    | "Phi3ForCausalLM";
  /** Layers. */
  readonly L: number;
  /** Model width. */
  readonly D: number;
  /** Feed-forward width. */
  readonly F: number;
  /** Query heads. */
  readonly H: number;
  /** Key/value heads; divides H. */
  readonly G: number;
  /** Head width, a multiple of 2. */
  readonly d: number;
  /** Vocabulary. */
  readonly V: number;
  /** Attention window: a query at position p sees positions (p − W, p]. null: all positions up to p. */
  readonly W: number | null;
  /** RMSNorm epsilon. */
  readonly eps: number;
  /** Base of the RoPE frequencies: `rope_theta`. */
  readonly ropeTheta: number;
  /** Scaling of the RoPE frequencies; null: none. */
  readonly ropeScaling: RopeScaling | null;
  /** How queries are scaled by their position after RoPE; null: not at all. */
  readonly queryScale: QueryScale | null;
  /** Numbers of the layers whose queries and keys are not rotated. */
  readonly noRopeLayers: readonly number[];
  /** Whether a bias is added to queries, keys and values, before RoPE. */
  readonly qkvBias: boolean;
  /** Whether each head of queries and keys is normalised (RMSNorm) before RoPE. */
  readonly qkNorm: boolean;
  /** `max_position_embeddings`: the longest context the model was trained for. */
  readonly maxPositions: number;
  /** Whether lm_head is the embedding matrix: config.json says so and the files have no lm_head. */
  readonly tied: boolean;
  /** Id of the beginning-of-sequence token; null: none. */
  readonly bosTokenId: number | null;
  /** The ids in config.json and generation_config.json that end an answer. The tokenizer may name another. */
  readonly eosTokenIds: readonly number[];
}

/** How an architecture reads its config.json, and what it does otherwise than Llama. */
export interface Architecture {
  readonly name: ModelConfig["architecture"];
  /** Names it in files without `architectures`. */
  readonly modelType: string;
  readonly window: (fields: Fields) => number | null;
  /** config.json may lack what transformers has defaults for. */
  readonly defaults?: true;
  /** Default of `tie_word_embeddings`. */
  readonly tied?: true;
  readonly qkvBias?: true;
  readonly qkNorm?: true;
  /** Has `llama_4_scaling_beta`. */
  readonly queryScale?: true;
  /** Layers without RoPE. Default: none. */
  readonly noRopeLayers?: (fields: Fields, L: number) => readonly number[];
}
