// What people hold: the types of the public interface, with no code.
import type {
  CacheFormatName,
  MatmulVariant,
  MatvecVariant,
  Team,
  WeightFormatName,
} from "../kernels/index.ts";
import type { ModelConfig } from "../weights/config.ts";
import type { OpenAIShape } from "./openai-types.ts";

export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/**
 * How far loading is. A cold Hub repository downloads first; then a new adapter may be tuned for. `loaded` and `total` are
 * bytes of the stored tensors, or while tuning the variants measured.
 */
export interface Progress {
  readonly stage: "download" | "tune" | "load";
  /** File (download), kernel (tune) or tensor (load) at hand. */
  readonly name: string;
  readonly loaded: number;
  readonly total: number;
}

export interface LoadOptions {
  /** Format of the resident weights. `auto`: the most exact that fits the adapter. */
  readonly weights?: "auto" | WeightFormatName;
  /**
   * Format of the keys and values of earlier tokens. `auto`: f32 where all of them take at most 512 MiB, else f16, or q8
   * where f16 would not fit.
   */
  readonly cache?: "auto" | CacheFormatName;
  /** Tokens the cache holds where the model has no window; with a window a conversation may be longer. */
  readonly contextLength?: number;
  /** Called again where a lost device is replaced later on: the weights are loaded once more, from the same source. */
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
  /** Access token of the Hub, for private and gated repositories (browsers; in Node, HF_TOKEN). */
  readonly token?: string;
  /** Part of the name of the adapter to use, as `sirocco info` lists them (Node only). */
  readonly adapter?: string;
  /**
   * Switch off the checks that keep shaders within their buffers (Node only). Faster where a GPU waits for them; a bug in a
   * shader may then read or write other memory of the GPU.
   */
  readonly unsafeFast?: boolean;
  /** A device to use in place of opening one; `dispose()` leaves it alone, and where it is lost, so is the model. */
  readonly device?: GPUDevice;
  /**
   * Answers that run at once: they share every pass over the weights, and each has a ring of keys and values of its own. Further
   * calls wait in line. Default 2, or 1 where the second ring would take the model over 6 GiB or could not be bound.
   */
  readonly parallel?: number;
  /**
   * Rings of keys and values. Those beyond `parallel` keep conversations that have ended, so that their next turn, or another
   * with the same beginning, need not be computed from the start. Default: `parallel`.
   */
  readonly rings?: number;
  /** Pretend the adapter binds no more than this many bytes at once: matrices over it are split by rows. */
  readonly maxBindingBytes?: number;
  /** Most tokens of a prefill pass. */
  readonly chunkLength?: number;
  /**
   * Measure which kernels are fastest on this adapter, at the first load of a model of these shapes; at most 5 s on a GPU, 60 s
   * on a software driver. Default: for models of 64 MiB and more on a device that loading opens itself.
   */
  readonly tune?: boolean;
  /** Variants of the hot kernels to use in place of what was measured or suits the adapter. */
  readonly kernels?: KernelOptions;
  /**
   * Store the weights of a checkpoint that comes over HTTP as they lie on the GPU, in the origin's private files, and load them
   * from there the next time. Default: where that can be, in a dedicated worker of a browser.
   */
  readonly store?: boolean;
  /** Take a stored model from the tab that has it loaded: its next call there gives a ModelInUseError. */
  readonly takeOver?: boolean;
}

/** A checkpoint in the origin's private files, whole or in part. */
export interface StoredModel {
  /** What to load it by: `owner/name`, `owner/name@revision` or its address. */
  readonly name: string;
  readonly weights: WeightFormatName;
  /** Bytes of its weights that are there, and of all of them. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** It loads without the network; otherwise only what is missing is fetched. */
  readonly complete: boolean;
  readonly lastUsed: Date;
}

export interface SamplingOptions {
  /** 0: always the likeliest token. Default 0. */
  readonly temperature?: number;
  /** Keep the k likeliest tokens; 0: all. */
  readonly topK?: number;
  /** Keep the likeliest tokens whose probabilities reach this sum; 1: all. */
  readonly topP?: number;
  /** Keep tokens at least this fraction as likely as the likeliest; 0: all. */
  readonly minP?: number;
  /** Divides (multiplies, where negative) logits of tokens seen in prompt or answer; 1: none. */
  readonly repetitionPenalty?: number;
  /** Subtracted once for each time a token stands in the answer. */
  readonly frequencyPenalty?: number;
  /** Subtracted once from tokens that stand in the answer. */
  readonly presencePenalty?: number;
  /** Added to the logits of these ids. */
  readonly logitBias?: Readonly<Record<number, number>>;
  /** Same seed, same tokens on the same adapter. Default: random. */
  readonly seed?: number;
}

export interface GenerateOptions extends SamplingOptions {
  /** Most tokens of the answer. Default: 512, or what the context holds, if that is less. */
  readonly maxTokens?: number;
  /** The answer ends before the first of these strings. */
  readonly stop?: string | readonly string[];
  /** Go on past the end-of-sequence token. */
  readonly ignoreEos?: boolean;
  /**
   * Give each token's log-probability, and as many of the likeliest in its place, 0 to 20. The logits come back from the
   * GPU for every token, which is slower than without.
   */
  readonly topLogProbs?: number;
  readonly signal?: AbortSignal;
}

export interface ChatOptions extends GenerateOptions {
  /**
   * Go on with the text of the last message, which is an assistant's, in place of a new one. The answer is what follows: it has
   * the space that it begins with. Default false.
   */
  readonly continueFinalMessage?: boolean;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface AttentionOptions extends CallOptions {
  /** 0 … L − 1 */
  readonly layer: number;
  /** 0 … H − 1. Default: all. */
  readonly head?: number;
}

export interface CandidatesOptions extends CallOptions {
  /** Default 10. */
  readonly count?: number;
}

export interface SaveSessionOptions {
  /** 0: the latest; 1: the one before it, and so on. Default 0. */
  readonly conversation?: number;
}

/** A token and its natural-log probability in the model's own distribution: before penalties, temperature and top-p. */
export interface LikelyToken {
  readonly id: number;
  /**
   * What the token by itself would add to the answer here: without a leading space that is stripped from the answer; U+FFFD where
   * its bytes are a part of a character; a special token spelled out.
   */
  readonly text: string;
  /** UTF-8 */
  readonly bytes: readonly number[];
  readonly logProb: number;
}

/**
 * A token that was drawn. The texts of all, joined, are the answer's text, and so are the bytes. Hence a part of a character has
 * bytes and no text: the text is that of the part that ends it. A special token has neither, and a token that a stop string cuts
 * has what comes before the stop string.
 */
export interface TokenLogProb extends LikelyToken {
  /** The likeliest in its place, likeliest first. Where the drawn token is one of them, its text and bytes are the same there. */
  readonly top: readonly LikelyToken[];
}

/** A piece of an answer. The texts of all chunks make the answer; `finish` is on the last one only. */
export interface Chunk {
  readonly text: string;
  /** A token that ends the answer is not among them. */
  readonly ids: readonly number[];
  /**
   * With the option `topLogProbs`: one for each of `ids`, and on the last chunk one more for a token that ended the answer. The
   * chunk's text is theirs. With stop strings a token comes when it is certain that its text stays.
   */
  readonly logProbs?: readonly TokenLogProb[];
  readonly finish?: Finish;
}

export interface Finish {
  /** `stop`: end-of-sequence token or stop string. `length`: `maxTokens` or the context. `abort`: the signal. */
  readonly reason: "stop" | "length" | "abort";
  readonly promptTokens: number;
  /** What was changed of a conversation so that the chat template takes it; absent where nothing was. */
  readonly warnings?: readonly string[];
  /** Prompt tokens whose keys and values were still in the cache. */
  readonly cachedTokens: number;
  /** Without a token that ended the answer. */
  readonly completionTokens: number;
  /** Milliseconds in line, from there to the first token, and from the first token to the last. */
  readonly waitedMs: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
}

export interface Score {
  /** Natural-log probability of each token given those before it; one fewer than the tokens. */
  readonly logProbs: Float32Array;
  /** exp(−mean(logProbs)). */
  readonly perplexity: number;
}

/** Time of one kernel in one decode step: all its launches together. */
export interface KernelTime {
  /** Name and variant: "attention_lane_f32". */
  readonly kernel: string;
  readonly launches: number;
  readonly milliseconds: number;
  /** `gpu`: timestamps. `host`: from submit to done, where the adapter has none. */
  readonly clock: "gpu" | "host";
}

/** How much the last of some tokens attends to each token that it sees. */
export interface AttentionWeights {
  readonly layer: number;
  /** Position that the rows begin with: 0, or where the window begins. */
  readonly firstPosition: number;
  /** Query heads, and key/value heads: query head h reads key/value head ⌊h · groups / heads⌋. */
  readonly heads: number;
  readonly groups: number;
  /** A row for each query head, or for the one asked for; each sums to 1. */
  readonly weights: readonly Float32Array[];
}

/** A token that may follow. */
export interface Candidate {
  readonly id: number;
  /** As it goes on a text, with its leading space; special tokens are spelled out. */
  readonly text: string;
  /** Softmax of the logits, before any sampling option. */
  readonly probability: number;
}

export interface AdapterDescription {
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  /** The driver and its version, where it says so. */
  readonly driver: string;
  /** A driver that computes on the CPU. */
  readonly software: boolean;
  readonly features: readonly string[];
  /** Threads of a subgroup, where there are subgroups and all are of one size. */
  readonly subgroupSize?: number;
  readonly maxBindingBytes: number;
  readonly maxBufferBytes: number;
}

/** The matrices of a model by what they do; each may be fastest in another way. */
export type MatrixRole = "qkv" | "oProj" | "gateUp" | "downProj" | "lmHead";

/** Decode: one token of every sequence. Prefill: a chunk of tokens of one. */
export type Pass = "decode" | "prefill";

export interface KernelChoice {
  /** Decode: a matrix times one token of every sequence. */
  readonly matvec: Readonly<Record<MatrixRole, MatvecVariant>>;
  /** Prefill: a matrix times a chunk of tokens. */
  readonly matmul: Readonly<Record<MatrixRole, MatmulVariant>>;
  readonly attention: Readonly<Record<Pass, Team>>;
}

/** One variant for every matrix and pass, in place of what would be chosen. */
export interface KernelOptions {
  readonly matvec?: MatvecVariant;
  readonly matmul?: MatmulVariant;
  readonly attention?: Team;
}

/** One variant of a matrix product or of attention, at (or below) the size it has in the model. */
export interface TuningMeasurement {
  readonly pass: Pass;
  readonly role: MatrixRole | "attention";
  readonly variant: string;
  /** Of one launch; Infinity where it was rejected. */
  readonly microseconds: number;
  /** Why it is not used on this adapter: it does not compile, or gives wrong numbers. */
  readonly rejected?: string;
}

export interface Tuning {
  readonly adapter: AdapterDescription;
  readonly weights: WeightFormatName;
  readonly choice: KernelChoice;
  readonly measurements: readonly TuningMeasurement[];
}

/** What a model is doing, and what it has done since it was loaded. */
export interface Activity {
  /** Answers that may run at once, calls that do, and calls in line. */
  readonly parallel: number;
  readonly running: number;
  readonly waiting: number;
  /** Rings of keys and values, the tokens that each holds at most, and all that they hold now. */
  readonly rings: number;
  readonly cacheSlots: number;
  readonly cachedTokens: number;
  /** Decode steps, and rows of all of them: a token of a sequence each. */
  readonly steps: number;
  readonly stepRows: number;
  /** Tokens of prompts computed, found in a ring, and tokens picked. */
  readonly prefillTokens: number;
  readonly reusedTokens: number;
  readonly decodedTokens: number;
}

/** Bytes a model needs on the GPU, known before the first weight is read. */
export interface Plan {
  readonly weights: WeightFormatName;
  readonly weightBytes: number;
  readonly cache: CacheFormatName;
  readonly cacheBytes: number;
  readonly scratchBytes: number;
  readonly totalBytes: number;
  /** The largest storage binding, after splitting by rows. */
  readonly largestBindingBytes: number;
  readonly adapter: AdapterDescription;
  readonly contextLength: number;
  /** Rings, and slots of each. */
  readonly rings: number;
  readonly cacheSlots: number;
  /** Answers that run at once. */
  readonly parallel: number;
  readonly chunkLength: number;
  /** Bytes the stored checkpoint takes (what is downloaded or read). */
  readonly checkpointBytes: number;
  readonly parameters: number;
}

/**
 * A call that is asked what cannot be gives a TypeError (another type, an option that there is not) or a RangeError, whose property
 * `parameter` names the argument or option. It comes before anything is computed: with the promise, or with the first `next()` of
 * `generate` and `chat`.
 *
 * A lost device is replaced by the call that notices: the weights are loaded again, what the cache held is computed again, and
 * an answer goes on with its very next token.
 */
export interface Model {
  readonly config: ModelConfig;
  readonly plan: Plan;
  readonly adapter: AdapterDescription;
  readonly contextLength: number;
  /** The calls of OpenAI's client that fit: `model.openai.chat.completions.create(…)`. */
  readonly openai: OpenAIShape;
  activity(): Promise<Activity>;
  /**
   * The keys and values of a conversation that a ring holds, as bytes to keep: of the latest, or with `conversation` 1 of the one
   * before it, and so on. undefined where there is none.
   */
  saveSession(options?: SaveSessionOptions): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /**
   * Puts back what `saveSession` gave: its conversation goes on as if it had just been answered. Resolves to its tokens.
   * @throws SessionError where the bytes are damaged, or of another model or format
   */
  restoreSession(session: Uint8Array<ArrayBuffer>): Promise<readonly number[]>;
  /** Continues a text (a beginning-of-sequence token is put first) or token ids (taken as they are). */
  generate(prompt: string | readonly number[], options?: GenerateOptions): AsyncGenerator<Chunk, void, void>;
  /** Answers a conversation, rendered with the model's chat template. */
  chat(messages: readonly Message[], options?: ChatOptions): AsyncGenerator<Chunk, void, void>;
  /** Teacher-forced log-probabilities of a text of at least two tokens. */
  score(text: string | readonly number[], options?: CallOptions): Promise<Score>;
  /** Logits [V] after the last of `ids`. */
  logits(ids: readonly number[], options?: CallOptions): Promise<Float32Array>;
  /** Times of one decode step by kernel, the longest first. The conversation is left as it is. */
  profile(): Promise<KernelTime[]>;
  /** Attention weights of a layer (0 … L − 1) for the last of `ids`. A conversation that begins with `ids` stays cached. */
  attention(ids: readonly number[], options: AttentionOptions): Promise<AttentionWeights>;
  /** The likeliest tokens after `ids`, likeliest first. Default count: 10. A conversation that begins with `ids` stays cached. */
  candidates(ids: readonly number[], options?: CandidatesOptions): Promise<Candidate[]>;
  /** Token ids of a text as `generate` goes on from them: with the beginning-of-sequence token first, and no end behind it. */
  encode(text: string, options?: CallOptions): Promise<number[]>;
  /** The ids that `chat` gives the model for a conversation. */
  encodeChat(
    messages: readonly Message[],
    options?: Pick<ChatOptions, "continueFinalMessage" | "signal">,
  ): Promise<number[]>;
  decode(ids: readonly number[], options?: CallOptions): Promise<string>;
  dispose(): void;
}
