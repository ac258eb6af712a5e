// config.json -> the numbers of the graph. (interface fixed; parser to come)

/** Sizes and constants of a model of Mistral's graph, in the alphabet of ARCHITECTURE.md. */
export interface ModelConfig {
  readonly architecture: "MistralForCausalLM" | "LlamaForCausalLM";
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
  /** Attention window: a query at position p sees (p − W, p]. null: all of the past. */
  readonly W: number | null;
  /** RMSNorm epsilon. */
  readonly eps: number;
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling | null;
  /** `max_position_embeddings`: the longest context the model was trained for. */
  readonly maxPositions: number;
  /** lm_head is the embedding matrix. */
  readonly tied: boolean;
  readonly bosTokenId: number | null;
  /** Any of these ends an answer; config.json and generation_config.json may give one or several. */
  readonly eosTokenIds: readonly number[];
}

export type RopeScaling =
  | { readonly type: "linear"; readonly factor: number }
  | {
      readonly type: "llama3";
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalMaxPositions: number;
    };
