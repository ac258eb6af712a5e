// Types of the Prompt API (github.com/webmachinelearning/prompt-api) as Chrome has it, text only.
import type { LoadOptions, Model } from "../../api.ts";

/** What a session calls of a loaded model. */
export type LanguageModelTarget = Pick<Model, "chat" | "encode" | "encodeChat" | "contextLength">;

/** Settings of `createLanguageModel`. */
export interface LanguageModelBackend {
  /**
   * A loaded model, or a function that loads one: it is called once, by the first `create()`, and again if it
   * failed. Until then `availability()` is "downloadable". Its progress goes to the page's `monitor`.
   * Required.
   */
  readonly model:
    | LanguageModelTarget
    | Promise<LanguageModelTarget>
    | ((options: Required<Pick<LoadOptions, "onProgress">>) => Promise<LanguageModelTarget>);
  /** Maximum number of tokens of an answer, ≥ 1. The context may hold fewer. Default 4096. */
  readonly maxTokens?: number;
}

/** Whether a model can be had: `downloadable` and `downloading` models have to be loaded first. */
export type LanguageModelAvailability = "unavailable" | "downloadable" | "downloading" | "available";

/** A part of a message. Parts that are no text are refused with a `NotSupportedError`. */
export interface LanguageModelContentPart {
  /** "text". */
  readonly type: string;
  /** The text. */
  readonly value: unknown;
}

/** A message of a conversation. */
export interface LanguageModelMessage {
  /** Who says it. `system` is possible as the first of `initialPrompts` only. */
  readonly role: "system" | "user" | "assistant";
  /** What is said. */
  readonly content: string | readonly LanguageModelContentPart[];
  /**
   * Of an assistant, in the last message of a prompt: the answer goes on with this text, and does not repeat
   * it. Default false.
   */
  readonly prefix?: boolean | undefined;
}

/** A prompt: a text of the user, or messages. */
export type LanguageModelPrompt = string | readonly LanguageModelMessage[];

/** What goes in or comes out: only "text", and the calls and results of tools. */
export interface LanguageModelExpected {
  /** "text", "tool-call" or "tool-response"; "image" and "audio" are not supported. */
  readonly type: string;
  /** Language tags. They change nothing: the model speaks what it learned. */
  readonly languages?: readonly string[] | undefined;
}

/** A function of the page that the model may call. */
export interface LanguageModelTool {
  /** 1 … 64 letters, digits, `_` or `-`. */
  readonly name: string;
  /** What it does and when to use it, for the model. */
  readonly description?: string | undefined;
  /** Its arguments: a JSON Schema of an object. The arguments are held to it. */
  readonly inputSchema?: object | undefined;
  /**
   * Runs it. What it resolves to goes to the model: a text, or else its JSON. If it rejects, the prompt
   * rejects with the same error.
   */
  execute(
    // biome-ignore lint/suspicious/noExplicitAny: pages type the arguments by their schema
    args: any,
  ): unknown;
}

/** How much chance there is in an answer: what newer Chrome has in place of `topK` and `temperature`. */
export type LanguageModelSamplingMode =
  /** Temperature 0: always the likeliest token. */
  | "most-predictable"
  /** Temperature 0.5, the 3 likeliest tokens. */
  | "predictable"
  /** Temperature 1, the 3 likeliest tokens. */
  | "balanced"
  /** Temperature 1, the 8 likeliest tokens. */
  | "creative"
  /** Temperature 1.2, the 40 likeliest tokens. */
  | "most-creative";

/** Options of `availability`, and of `create`. */
export interface LanguageModelCreateCoreOptions {
  /** How much chance there is. `topK` and `temperature` come before it. Default "balanced". */
  readonly samplingMode?: LanguageModelSamplingMode | undefined;
  /** Keeps the k likeliest tokens, 1 … 128. Larger values count as 128. Default: as `samplingMode`. */
  readonly topK?: number | undefined;
  /** Divides the logits, 0 … 2. Larger values count as 2. 0: the likeliest. Default: as `samplingMode`. */
  readonly temperature?: number | undefined;
  /** What prompts will hold. Default: text. */
  readonly expectedInputs?: readonly LanguageModelExpected[] | undefined;
  /** What answers will hold. Default: text. */
  readonly expectedOutputs?: readonly LanguageModelExpected[] | undefined;
  /** Functions that the model may call. Default: none. */
  readonly tools?: readonly LanguageModelTool[] | undefined;
}

/** Options of `create`. */
export interface LanguageModelCreateOptions extends LanguageModelCreateCoreOptions {
  /** The begin of the conversation. It is never removed from the context. Default: none. */
  readonly initialPrompts?: readonly LanguageModelMessage[] | undefined;
  /** Ends the wait for the session, and later the session itself. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /** Gets an event target, which tells `downloadprogress` from 0 to 1. Default: none. */
  readonly monitor?: ((monitor: LanguageModelMonitor) => unknown) | undefined;
}

/** Tells how far the loading of the model is. */
export interface LanguageModelMonitor extends EventTarget {
  /** Called with an event whose `loaded` is 0 … 1, and `total` 1. */
  ondownloadprogress: ((event: LanguageModelProgressEvent) => unknown) | null;
}

/** The event `downloadprogress`. */
export interface LanguageModelProgressEvent extends Event {
  /** How much is loaded, 0 … 1. */
  readonly loaded: number;
  /** 1. */
  readonly total: number;
  /** True. */
  readonly lengthComputable: boolean;
}

/** Options of `append` and `clone`. */
export interface LanguageModelCallOptions {
  /** Cancels the call. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `prompt`, `promptStreaming` and `measureContextUsage`. */
export interface LanguageModelPromptOptions extends LanguageModelCallOptions {
  /**
   * What the answer has to be: JSON of a JSON Schema, or a text that matches a regular expression as a whole.
   * Every token is held to it. Default: any text.
   */
  readonly responseConstraint?: object | undefined;
  /** Keeps the constraint out of what the model reads. Default false: it follows the user's last message. */
  readonly omitResponseConstraintInput?: boolean | undefined;
}

/** Defaults and largest values of the sampling options. */
export interface LanguageModelParams {
  /** 3, as in Chrome. */
  readonly defaultTopK: number;
  /** 128. */
  readonly maxTopK: number;
  /** 1, as in Chrome. */
  readonly defaultTemperature: number;
  /** 2. */
  readonly maxTemperature: number;
}

/** A conversation with a model. Prompts wait in line for each other. */
export interface LanguageModelSession extends EventTarget {
  /** Tokens of the conversation so far. */
  readonly contextUsage: number;
  /** Tokens that the context holds. */
  readonly contextWindow: number;
  /** The older name of `contextUsage`. */
  readonly inputUsage: number;
  /** The older name of `contextWindow`. */
  readonly inputQuota: number;
  /** The mode that the session was created with. */
  readonly samplingMode: LanguageModelSamplingMode;
  /** The k of the session. */
  readonly topK: number;
  /** The temperature of the session. */
  readonly temperature: number;
  /** Called when the oldest prompt and its answer were removed to make room. */
  oncontextoverflow: ((event: Event) => unknown) | null;
  /** The older name of `oncontextoverflow`. */
  onquotaoverflow: ((event: Event) => unknown) | null;
  /**
   * Answers, and adds prompt and answer to the conversation. An aborted prompt is not added.
   *
   * @throws DOMException: `AbortError`; `InvalidStateError` after `destroy()`; `NotSupportedError` for what
   * is no text, and a constraint that cannot be held to; `SyntaxError` for a wrong `prefix`, and an answer
   * that was cut off before it met its constraint; `QuotaExceededError` if the prompt alone is too long, with
   * `requested` and `quota`; `UnknownError` if the GPU fails
   * @throws TypeError for a wrong argument
   */
  prompt(input: LanguageModelPrompt, options?: LanguageModelPromptOptions): Promise<string>;
  /** As `prompt`, as a stream of pieces of text. Cancelling it aborts the prompt. */
  promptStreaming(input: LanguageModelPrompt, options?: LanguageModelPromptOptions): ReadableStream<string>;
  /** Adds messages to the conversation without an answer. @throws as `prompt` */
  append(input: LanguageModelPrompt, options?: LanguageModelCallOptions): Promise<undefined>;
  /** Tokens that a prompt would add. @throws as `prompt` */
  measureContextUsage(input: LanguageModelPrompt, options?: LanguageModelPromptOptions): Promise<number>;
  /** The older name of `measureContextUsage`. */
  measureInputUsage(input: LanguageModelPrompt, options?: LanguageModelPromptOptions): Promise<number>;
  /** A session that goes on from here on its own. @throws as `prompt` */
  clone(options?: LanguageModelCallOptions): Promise<LanguageModelSession>;
  /** Ends the session: prompts that run reject with an `AbortError`. The model stays loaded. */
  destroy(): void;
}

/** `LanguageModel`. */
export interface LanguageModelConstructor {
  /** Sessions come from `create`: this throws a TypeError. */
  new (): LanguageModelSession;
  /** "unavailable" for what is not text, and in a browser without WebGPU if the model is not loaded. */
  availability(options?: LanguageModelCreateCoreOptions): Promise<LanguageModelAvailability>;
  /**
   * Begins a conversation, and loads the model first if that is not done.
   *
   * @throws DOMException: `NotSupportedError` for images and audio; `QuotaExceededError` if `initialPrompts`
   * are too long; `NetworkError`, `OperationError` if the model does not load; the signal's reason
   * @throws TypeError, RangeError for a wrong option
   */
  create(options?: LanguageModelCreateOptions): Promise<LanguageModelSession>;
  /** Defaults and largest values of the sampling options. */
  params(): Promise<LanguageModelParams>;
}
