// What an answer is asked with, and what it consists of.
import type { AnswerFormat, StandardSchema } from "./format.ts";
import type { Tool, ToolCall, ToolCallDelta, ToolChoice } from "./tools.ts";

/** A message of a conversation. */
export interface Message {
  /** Who says it. The chat template decides which orders of roles are possible. */
  readonly role: "system" | "user" | "assistant" | "tool";
  /** Text of the message; of a tool, what it returned. Control tokens that it spells out stay text. */
  readonly content: string;
  /**
   * What the assistant thought before it said this: `reasoning_content` of the chat template. Most templates
   * leave the thoughts of earlier turns out. Default: none.
   */
  readonly reasoning?: string;
  /** Of an assistant: the calls that it asked for. Default: none. */
  readonly toolCalls?: readonly ToolCall[];
  /** Of a tool: the id of the call that it answers. */
  readonly toolCallId?: string;
  /** Of a tool: its name. Default: that of the call. */
  readonly name?: string;
}

/** Options of calls that only can be cancelled. */
export interface CallOptions {
  /** Cancels the call: its promise rejects with the signal's reason. Default: none. */
  readonly signal?: AbortSignal;
}

/** Options of `Model.encode`. */
export interface EncodeTextOptions extends CallOptions {
  /**
   * Begin with the beginning-of-sequence token, unless the text does. Default: as the checkpoint's tokenizer
   * does, which is true for Mistral.
   */
  readonly bos?: boolean;
}

/** A LoRA adapter by its name; with a factor of what it adds, −1000 … 1000: 1 is as trained. */
export type ScaledAdapter = string | { readonly name: string; readonly scale?: number };

/** One adapter, or up to 8 that apply together: what each of them adds is added up, in any order. */
export type AdapterChoice = ScaledAdapter | readonly ScaledAdapter[];

/** Options of calls that compute with the model's weights. */
export interface PassOptions extends CallOptions {
  /** The LoRA adapters to use, of those that are loaded. Default: none. */
  readonly adapter?: AdapterChoice;
}

/**
 * How the next token is chosen from the logits. Applied in this order: `logitBias`, `repetitionPenalty`,
 * `frequencyPenalty` and `presencePenalty`, `temperature`, `topK`, `topP`, `minP`. A value out of range is a
 * `RangeError`.
 */
export interface SamplingOptions {
  /** Divides the logits, ≥ 0. 0: always the likeliest token. Default 0.7. */
  readonly temperature?: number;
  /** Keeps the k likeliest tokens, ≥ 0. 0: all. Default 0. */
  readonly topK?: number;
  /** Keeps the likeliest tokens whose probabilities add up to this, 0 … 1. 1: all. Default 0.95. */
  readonly topP?: number;
  /** Keeps tokens at least this fraction as likely as the likeliest, 0 … 1. 0: all. Default 0. */
  readonly minP?: number;
  /**
   * Divides positive logits, multiplies negative ones, of tokens in prompt and answer, 0.001 … 1000. 1: none.
   * Default 1.
   */
  readonly repetitionPenalty?: number;
  /** Subtracted from a token's logit once for each time it is in the answer, −1000 … 1000. Default 0. */
  readonly frequencyPenalty?: number;
  /** Subtracted once from the logits of tokens that are in the answer, −1000 … 1000. Default 0. */
  readonly presencePenalty?: number;
  /** Added to the logits of these token ids, −1e30 … 1e30 each. Default: none. */
  readonly logitBias?: Readonly<Record<number, number>>;
  /** Same seed, same tokens on the same adapter: a whole number, 0 … 2^53 − 1. Default: random. */
  readonly seed?: number;
}

/** How much of a prompt is computed. In tokens. */
export interface PromptProgress {
  /** Tokens of the prompt. */
  readonly total: number;
  /** Of these, computed for an earlier call, and found in the cache. */
  readonly cached: number;
  /** Of `total`, those that are done: `cached` at first, `total` at the end. */
  readonly processed: number;
}

/** Options of `Model.generate`, `Model.chat` and `Model.answer`. */
export interface AnswerOptions extends SamplingOptions {
  /** The LoRA adapters that answer, of those that are loaded. Default: none, the model itself. */
  readonly adapter?: AdapterChoice;
  /** Maximum number of tokens of the answer, ≥ 0. The context may hold fewer. Default 512. */
  readonly maxTokens?: number;
  /**
   * The answer ends before the first of these strings; they are not part of it. They do not count in what the
   * model thinks. Default: none.
   */
  readonly stop?: string | readonly string[];
  /**
   * What the answer has to be: JSON, JSON of a schema, a text that matches a regular expression, or one of
   * some texts; or a schema of zod ≥ 4.2. Every token is held to it, so the answer is valid unless it ends
   * with the reason `length` or `abort`. Not with `stop` or `ignoreEos`. Default: any text.
   */
  readonly format?: AnswerFormat | StandardSchema;
  /**
   * Functions that the model may ask for, in the format of the chat template. Their arguments are held to
   * their schemas. `chat` shows them to the model; a prompt of `generate` has to show them itself. Not with
   * `format`, `ignoreEos` or `continueFinalMessage`. Default: none.
   */
  readonly tools?: readonly Tool[];
  /** Whether the answer calls tools. Default `auto`. */
  readonly toolChoice?: ToolChoice;
  /** Whether an answer may call several tools, or one several times. Default true. */
  readonly parallelToolCalls?: boolean;
  /** Goes on after a token that ends the sequence. Default false. */
  readonly ignoreEos?: boolean;
  /**
   * Adds `logProbs` to the chunks: each token's log-probability and this many of the likeliest tokens at its
   * position, 0 … 20. Reads the logits back from the GPU for every token, which is slower. Default: none.
   */
  readonly topLogProbs?: number;
  /**
   * Called when the prompt begins to be computed, and after each chunk of it. Not called if nothing of it
   * needs to be computed. Default: none.
   */
  readonly onProgress?: (progress: PromptProgress) => void;
  /**
   * Ends the answer: its last chunk then has the reason `abort`, and no error is thrown. The promises of
   * `answer` and `extract` reject with the signal's reason. Default: none.
   */
  readonly signal?: AbortSignal;
}

/** Options of `Model.generate`. */
export interface GenerateOptions extends AnswerOptions {
  /**
   * Treats the answer as a text of its own, as in a chat: leaves out the space that many tokenizers put
   * before the first word. Default false: the answer continues the prompt's text.
   */
  readonly standalone?: boolean;
  /**
   * Gives what the model thinks between its tags as `reasoning`, apart from `text`, as `chat` does. Default
   * false.
   */
  readonly separateReasoning?: boolean;
}

/** Options of `Model.chat` and `Model.answer`. */
export interface ChatOptions extends AnswerOptions {
  /**
   * Continues the text of the last message, which must be an assistant's, instead of starting a new message.
   * The answer holds only the new text, including the space it may begin with. Default false.
   */
  readonly continueFinalMessage?: boolean;
  /**
   * Puts Mistral's system prompt for guarded answers in front of the messages: "Always assist with care,
   * respect, and truth. …". A system message that was the first follows it after an empty line. Default
   * false.
   */
  readonly safePrompt?: boolean;
}

/** Options of `Model.encodeChat`. */
export interface EncodeChatOptions
  extends Pick<ChatOptions, "continueFinalMessage" | "safePrompt" | "signal" | "tools" | "toolChoice"> {
  /**
   * Called with each change made to the conversation so that the chat template accepts it, and if the
   * template is not the checkpoint's own. Default: none.
   */
  readonly onWarning?: (warning: string) => void;
}

/**
 * A token and its probability in the model's own distribution: before bias, penalties, temperature and all
 * other options.
 */
export interface LikelyToken {
  /** Token id. */
  readonly id: number;
  /**
   * What the token alone adds to the answer here. A leading space that the answer does not have is left out;
   * bytes that are only part of a character are U+FFFD; special tokens are spelled out.
   */
  readonly text: string;
  /** UTF-8 bytes of the token. */
  readonly bytes: readonly number[];
  /** Natural logarithm of the probability, ≤ 0. */
  readonly logProb: number;
}

/**
 * A token of the answer. The texts of all tokens together are the text of the answer, and so are the bytes.
 * Hence:
 *
 * - a token that is part of a character has bytes but no text; the character is the text of the part that
 *   completes it,
 * - special tokens have neither, and so have tokens of `reasoning`,
 * - a token that a stop string cuts has what comes before the stop string.
 */
export interface TokenLogProb extends LikelyToken {
  /** The `topLogProbs` likeliest tokens at this position, likeliest first. */
  readonly top: readonly LikelyToken[];
}

/** A piece of an answer. The texts of all chunks together are the answer. */
export interface Chunk {
  /** Text since the last chunk; may be empty. */
  readonly text: string;
  /**
   * What the model thought since the last chunk, between tags such as `<think>` and `</think>`, which are in
   * neither text. Absent if there is none.
   */
  readonly reasoning?: string;
  /** Pieces of the calls that the model asks for. Absent if there are none. */
  readonly toolCalls?: readonly ToolCallDelta[];
  /** Ids of the tokens since the last chunk, without a token that ends the answer. */
  readonly ids: readonly number[];
  /**
   * With the option `topLogProbs`: one entry for each of `ids`; the last chunk has one more if a token ended
   * the answer. With stop strings, a token is held back until its text is certain to stay.
   */
  readonly logProbs?: readonly TokenLogProb[];
  /** How the answer ended; on the last chunk only. */
  readonly finish?: Finish;
}

/** How an answer ended, and what it took. */
export interface Finish {
  /**
   * `stop`: a token that ends the sequence, or a stop string. `length`: `maxTokens` or the context. `abort`:
   * the signal. `tool-calls`: as `stop`, and the model called tools. `content-filter`: never of a model;
   * `sirocco serve --moderate reject` has withheld the text.
   */
  readonly reason: "stop" | "length" | "abort" | "tool-calls" | "content-filter";
  /** Tokens of the prompt. */
  readonly promptTokens: number;
  /**
   * Changes made to the conversation so that its chat template accepts it, and which template was used if it
   * is not the checkpoint's own; absent if there is nothing to say.
   */
  readonly warnings?: readonly string[];
  /** Prompt tokens whose keys and values were still in the cache. */
  readonly cachedTokens: number;
  /** Tokens of the answer, without one that ended it. */
  readonly completionTokens: number;
  /** Those of them that are thoughts and their tags; absent if there are none. */
  readonly reasoningTokens?: number;
  /** Milliseconds in line. */
  readonly waitedMs: number;
  /** Milliseconds from the end of the wait to the first token. */
  readonly prefillMs: number;
  /** Milliseconds from the first token to the end of the answer. */
  readonly decodeMs: number;
}

/** What an answer took: tokens, and milliseconds. */
export type Usage = Omit<Finish, "reason" | "warnings">;

/** Result of `Model.answer`. */
export interface Answer {
  /** The whole text, without thoughts and calls of tools. Empty if there is none. */
  readonly text: string;
  /** What the model thought before it; absent if it did not. */
  readonly reasoning?: string;
  /** The calls of tools that it asks for, whole ones only; absent if there are none. */
  readonly toolCalls?: readonly ToolCall[];
  /** How the answer ended. Never `abort`: the promise then rejects. */
  readonly reason: Finish["reason"];
  /** What it took: tokens of the prompt, those of them in the cache, tokens of the answer, milliseconds. */
  readonly usage: Usage;
  /** Ids of all its tokens, without one that ended it. */
  readonly ids: readonly number[];
  /** With the option `topLogProbs`: as in the chunks of `chat`. */
  readonly logProbs?: readonly TokenLogProb[];
  /** As in `finish` of `chat`; absent if there is nothing to say. */
  readonly warnings?: readonly string[];
}

/** Options of `Model.score`. */
export interface ScoreOptions extends PassOptions {
  /**
   * Index of the first token to score, 1 … tokens − 1. Those before it are only its context: what the cache
   * holds of them is not computed again, as for the endings of one question. Default 1: all, computed anew.
   */
  readonly from?: number;
  /** Adds `top` to the result: this many of the likeliest tokens at each position, 0 … 5. Default: none. */
  readonly topLogProbs?: number;
}

/** Result of `Model.score`. */
export interface Score {
  /**
   * Natural-log probability of each token given those before it, [tokens − from]: the first token has none.
   */
  readonly logProbs: Float32Array;
  /**
   * Place of each of these tokens in the order of the whole vocabulary: 1 is the likeliest. Of equally likely
   * tokens the lower id comes first.
   */
  readonly ranks: Uint32Array;
  /**
   * With the option `topLogProbs`: the likeliest tokens in the place of each, likeliest first, or as many as
   * the vocabulary has. A token of the text that is among them has the same `logProb` there, to the bit.
   */
  readonly top?: readonly (readonly LikelyToken[])[];
  /** exp(−mean(logProbs)), ≥ 1. */
  readonly perplexity: number;
}

/** Result of `Model.extract`. */
export interface Extraction<Output> {
  /** What the schema makes of the answer; the parsed JSON for a JSON Schema. */
  readonly value: Output;
  /** The answer as JSON. */
  readonly text: string;
  /** How the answer ended, and its statistics. */
  readonly finish: Finish;
}
