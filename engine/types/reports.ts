// What a model reports about itself: its plan, its adapter, what it is doing, and what Inspect shows.
import type { CacheFormatName, WeightFormatName } from "../../kernels/index.ts";
import type { CallOptions, PassOptions } from "./answer.ts";

/** A GPU, or a driver that computes on the CPU. */
export interface AdapterDescription {
  /** Name of the device. */
  readonly name: string;
  /** Who made it: "nvidia"; empty if the browser does not say. */
  readonly vendor: string;
  /** Its family: "ampere"; empty if the browser does not say. */
  readonly architecture: string;
  /** The driver and its version; empty if the browser does not say. */
  readonly driver: string;
  /** True for a driver that computes on the CPU. */
  readonly software: boolean;
  /** WebGPU features, sorted by name. */
  readonly features: readonly string[];
  /** Threads of a subgroup; absent without subgroups, or if they differ in size. */
  readonly subgroupSize?: number;
  /** Maximum size of a storage binding in bytes. */
  readonly maxBindingBytes: number;
  /** Maximum size of a buffer in bytes. */
  readonly maxBufferBytes: number;
  /** Maximum workgroup memory of a kernel in bytes. */
  readonly maxWorkgroupBytes: number;
  /** Maximum number of threads of a workgroup. */
  readonly maxWorkgroupThreads: number;
}

/** Bytes that a model needs on the GPU, known before any weight is read. */
export interface Plan {
  /** Format of the weights on the GPU. */
  readonly weights: WeightFormatName;
  /** Bytes of the weights on the GPU. */
  readonly weightBytes: number;
  /** Format of keys and values. */
  readonly cache: CacheFormatName;
  /** Bytes of keys and values, of all rings. */
  readonly cacheBytes: number;
  /** Bytes of activations and other working memory. */
  readonly scratchBytes: number;
  /** Sum of weights, cache and scratch. */
  readonly totalBytes: number;
  /** Bytes of the largest storage binding, after large matrices are split by rows. */
  readonly largestBindingBytes: number;
  /** The adapter that the plan was made for. */
  readonly adapter: AdapterDescription;
  /** Maximum number of tokens of a prompt and its answer together. */
  readonly contextLength: number;
  /** Rings of keys and values. */
  readonly rings: number;
  /** Tokens that a ring holds. */
  readonly cacheSlots: number;
  /** Answers that run at once. */
  readonly parallel: number;
  /** Maximum number of tokens of a prefill pass. */
  readonly chunkLength: number;
  /** Bytes of the stored tensors: what is downloaded or read. */
  readonly checkpointBytes: number;
  /** Numbers in the weights. */
  readonly parameters: number;
  /** How the checkpoint is quantised: "Q4_K_M", "GPTQ with 4 bits, groups of 128". Missing for floats. */
  readonly quantised?: string;
  /** What the checkpoint may have lost, or keeps in more bits than it has. Missing if nothing is known. */
  readonly warnings?: readonly string[];
  /** The attention window that it may have lost, in tokens: for `LoadOptions.window`. */
  readonly lostWindow?: number;
}

/** What a model is doing, and what it has done since it was loaded. */
export interface Activity {
  /** Answers that may run at once. */
  readonly parallel: number;
  /** Calls that run. */
  readonly running: number;
  /** Calls in line. */
  readonly waiting: number;
  /** Rings of keys and values. */
  readonly rings: number;
  /** Tokens that a ring holds at most. */
  readonly cacheSlots: number;
  /** Tokens in all rings now. */
  readonly cachedTokens: number;
  /** Decode steps so far. */
  readonly steps: number;
  /** Rows of all decode steps so far: one token of one sequence each. */
  readonly stepRows: number;
  /** Prompt tokens computed so far. */
  readonly prefillTokens: number;
  /** Prompt tokens found in a ring so far. */
  readonly reusedTokens: number;
  /** Tokens of answers so far, including those that ended one. */
  readonly decodedTokens: number;
}

/** Time of one kernel in one decode step, all its launches together. */
export interface KernelTime {
  /** Name and variant: "attention_lane_f32". */
  readonly kernel: string;
  /** Launches in a step. */
  readonly launches: number;
  /** Milliseconds of all launches. */
  readonly milliseconds: number;
  /** `gpu`: timestamps of the GPU. `host`: from submit to done, on adapters without timestamps. */
  readonly clock: "gpu" | "host";
}

/** Options of `Model.attention`. */
export interface AttentionOptions extends CallOptions {
  /** Layer, 0 … L − 1. Required. */
  readonly layer: number;
  /** Query head, 0 … H − 1. Default: all. */
  readonly head?: number;
}

/** How much the last token attends to each token that it sees. */
export interface AttentionWeights {
  /** The layer. */
  readonly layer: number;
  /** Position of the first entry of each row: 0, or where the window begins. */
  readonly firstPosition: number;
  /** Query heads (H). */
  readonly heads: number;
  /** Key/value heads (G): query head h reads key/value head ⌊h · groups / heads⌋. */
  readonly groups: number;
  /** A row [positions] for each query head, or for the one that was asked for. Each row sums to 1. */
  readonly weights: readonly Float32Array[];
}

/** Result of `Model.tokenizerInfo`. Absent: the checkpoint has none. */
export interface TokenizerInfo {
  /** Text of the token that begins a sequence: "<s>". */
  readonly bosToken?: string;
  /** Text of the token that ends a sequence: "</s>". */
  readonly eosToken?: string;
  /** Source of the chat template, in Jinja. */
  readonly chatTemplate?: string;
}

/** Options of `Model.candidates`. */
export interface CandidatesOptions extends PassOptions {
  /** How many, ≥ 1. Default 10. */
  readonly count?: number;
}

/** A token that may come next. */
export interface Candidate {
  /** Token id. */
  readonly id: number;
  /**
   * Its text as it continues a text, including a leading space; special tokens are spelled out. Empty without
   * a tokenizer.
   */
  readonly text: string;
  /** Softmax of the logits, 0 … 1, before any sampling option. */
  readonly probability: number;
}

/** Options of `Model.saveSession`. */
export interface SaveSessionOptions {
  /** Which conversation, ≥ 0: 0 is the latest, 1 the one before it, and so on. Default 0. */
  readonly conversation?: number;
}
