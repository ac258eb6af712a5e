// The shapes of OpenAI's chat completions, as far as Sirocco has them; a value of these types is one of the `openai` package's.
// https://platform.openai.com/docs/api-reference/chat

export interface ChatCompletionTextPart {
  readonly type: "text";
  readonly text: string;
}

/** `developer` is another word for `system`. */
export interface ChatCompletionMessageParam {
  readonly role: "system" | "developer" | "user" | "assistant";
  /** null or none: an assistant that said nothing. */
  readonly content?: string | readonly ChatCompletionTextPart[] | null;
  /** Taken, and of no effect. */
  readonly name?: string;
  /** On the last message, an assistant's: the answer goes on with its text. */
  readonly prefix?: boolean;
  /** As on messages that `create` gave. */
  readonly refusal?: null;
}

export interface ChatCompletionCreateParams {
  readonly messages: readonly ChatCompletionMessageParam[];
  /** Any name: the model is the loaded one, and the answer bears this name. */
  readonly model?: string;
  readonly stream?: boolean | null;
  readonly stream_options?: { readonly include_usage?: boolean } | null;
  /** Most tokens of an answer. Default: 512, or what the context holds, if that is less. */
  readonly max_completion_tokens?: number | null;
  /** The older name of `max_completion_tokens`. */
  readonly max_tokens?: number | null;
  /** Default 1, as OpenAI's; `model.chat` has 0. */
  readonly temperature?: number | null;
  /** Default 1. */
  readonly top_p?: number | null;
  readonly frequency_penalty?: number | null;
  readonly presence_penalty?: number | null;
  readonly logit_bias?: Readonly<Record<string, number>> | null;
  readonly stop?: string | readonly string[] | null;
  /** Answer i is drawn with seed + i. */
  readonly seed?: number | null;
  /** Answers, all at once. Default 1. */
  readonly n?: number | null;
  /** Of the model's own distribution, before penalties, temperature and top_p. */
  readonly logprobs?: boolean | null;
  /** 0 to 20, with `logprobs`; 0 also without. */
  readonly top_logprobs?: number | null;
  /** Taken, and of no effect: nobody else is here. */
  readonly user?: string | null;
  readonly response_format?: { readonly type: "text" } | null;
  /** Not OpenAI's, but of many servers: keep the k likeliest tokens; 0: all. Default 0. */
  readonly top_k?: number | null;
  /** Likewise: keep tokens at least this fraction as likely as the likeliest. Default 0. */
  readonly min_p?: number | null;
  /** Likewise: divides logits of tokens seen in prompt or answer. Default 1. */
  readonly repetition_penalty?: number | null;
  /** As with vLLM: the answer goes on with the text of the last message, which is an assistant's. Default false. */
  readonly continue_final_message?: boolean | null;
  /** false goes with `continue_final_message` alone. */
  readonly add_generation_prompt?: boolean | null;
}

export interface ChatCompletionTokenTopLogprob {
  token: string;
  bytes: number[] | null;
  logprob: number;
}

export interface ChatCompletionTokenLogprob extends ChatCompletionTokenTopLogprob {
  top_logprobs: ChatCompletionTokenTopLogprob[];
}

export interface ChatCompletionLogprobs {
  content: ChatCompletionTokenLogprob[] | null;
  refusal: null;
}

export interface CompletionUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: { cached_tokens: number };
}

export interface ChatCompletion {
  id: string;
  object: "chat.completion";
  /** Seconds since 1970. */
  created: number;
  model: string;
  choices: {
    index: number;
    message: { role: "assistant"; content: string | null; refusal: null };
    logprobs: ChatCompletionLogprobs | null;
    finish_reason: "stop" | "length";
  }[];
  usage: CompletionUsage;
  /** What was changed of the conversation so that the chat template takes it; absent where nothing was. */
  warnings?: string[];
}

export interface ChatCompletionChunk {
  id: string;
  object: "chat.completion.chunk";
  created: number;
  model: string;
  choices: {
    index: number;
    delta: { role?: "assistant"; content?: string };
    logprobs: ChatCompletionLogprobs | null;
    finish_reason: "stop" | "length" | null;
  }[];
  /** With `include_usage`: null, and on the last chunk, which has no choices, that of all answers. */
  usage?: CompletionUsage | null;
  /** On the last chunk, as of a whole answer. */
  warnings?: string[];
}

export interface ChatCompletionOptions {
  readonly signal?: AbortSignal | null;
}

export interface ChatCompletions {
  /** @throws TypeError, RangeError whose `parameter` is what is not supported or out of range; what the signal was aborted with */
  create(
    params: ChatCompletionCreateParams & { readonly stream: true },
    options?: ChatCompletionOptions,
  ): Promise<AsyncIterable<ChatCompletionChunk>>;
  create(
    params: ChatCompletionCreateParams & { readonly stream?: false | null },
    options?: ChatCompletionOptions,
  ): Promise<ChatCompletion>;
  create(
    params: ChatCompletionCreateParams,
    options?: ChatCompletionOptions,
  ): Promise<ChatCompletion | AsyncIterable<ChatCompletionChunk>>;
}

/** The part of an `OpenAI` client that a loaded model can be. */
export interface OpenAIShape {
  readonly chat: { readonly completions: ChatCompletions };
}
