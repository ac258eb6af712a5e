// OpenAI's chat completions, as far as Sirocco has them. The shapes fit the types of the `openai` package.
// https://platform.openai.com/docs/api-reference/chat
import type {
  ChatCompletionMessageToolCall,
  ChatCompletionTool,
  ChatCompletionToolCallDelta,
} from "./openai-tools.ts";

/** A part of a message: a text. */
export interface ChatCompletionTextPart {
  /** The only kind. */
  readonly type: "text";
  /** The parts of a message are joined as they are. */
  readonly text: string;
}

/** A message of a conversation. */
export interface ChatCompletionMessageParam {
  /** `developer` is another word for `system`. */
  readonly role: "system" | "developer" | "user" | "assistant" | "tool";
  /** Text or parts. Null or absent: an assistant that said nothing. */
  readonly content?: string | readonly ChatCompletionTextPart[] | null;
  /** Of a tool: its name. Of others: accepted, without effect. */
  readonly name?: string;
  /** Of an assistant: the calls that it asked for. */
  readonly tool_calls?: readonly ChatCompletionMessageToolCall[] | null;
  /** Of a tool: the id of the call that it answers. */
  readonly tool_call_id?: string;
  /** On the last message, an assistant's: the answer continues its text. Default false. */
  readonly prefix?: boolean;
  /** As on messages that `create` gave. */
  readonly refusal?: null;
  /** Of an assistant: what it thought. The chat template decides whether it is sent again. */
  readonly reasoning_content?: string | null;
}

/**
 * Parameters of a chat completion. Other parameters are refused by name, unless they ask for nothing (null,
 * `false`, `""`, `[]`, `{}`, their default) or could not change an answer.
 */
export interface ChatCompletionCreateParams {
  /** The conversation, at least one message. */
  readonly messages: readonly ChatCompletionMessageParam[];
  /** Any name. The model is the loaded one; the answer has this name. Default "sirocco". */
  readonly model?: string;
  /** Gives the answer in chunks. Default false. */
  readonly stream?: boolean | null;
  /** Options of a stream. Default: none. */
  readonly stream_options?: {
    /** The last chunk has the usage. Default false. */
    readonly include_usage?: boolean;
  } | null;
  /**
   * Maximum number of tokens of an answer, ≥ 1; −1 asks for the default. Default 512, or fewer if the context
   * is full before.
   */
  readonly max_completion_tokens?: number | null;
  /** The older name of `max_completion_tokens`, with its range and default. */
  readonly max_tokens?: number | null;
  /** 0 … 2; 0: always the likeliest token. Default 1, as OpenAI's; `model.chat` has 0. */
  readonly temperature?: number | null;
  /** Keeps the likeliest tokens whose probabilities add up to this, 0 … 1. Default 1. */
  readonly top_p?: number | null;
  /** Subtracted from a token's logit for each time it is in the answer, −2 … 2. Default 0. */
  readonly frequency_penalty?: number | null;
  /** Subtracted once from the logits of tokens in the answer, −2 … 2. Default 0. */
  readonly presence_penalty?: number | null;
  /** Added to the logits of these token ids, −100 … 100 each. Default: none. */
  readonly logit_bias?: Readonly<Record<string, number>> | null;
  /** The answer ends before the first of these strings, at most 16. Default: none. */
  readonly stop?: string | readonly string[] | null;
  /** Answer i is drawn with seed + i, a whole number ≥ 0; −1 asks for the default. Default: random. */
  readonly seed?: number | null;
  /** Answers, all at once, 1 … 128. Default 1. */
  readonly n?: number | null;
  /**
   * Adds log-probabilities, of the model's own distribution: before penalties, temperature and top_p. Default
   * false.
   */
  readonly logprobs?: boolean | null;
  /** The likeliest tokens at each position, 0 … 20; needs `logprobs` unless it is 0. Default 0. */
  readonly top_logprobs?: number | null;
  /**
   * Mistral's own field: its system prompt for guarded answers goes in front of the messages. Default false.
   */
  readonly safe_prompt?: boolean | null;
  /** Accepted, without effect. Default: none. */
  readonly user?: string | null;
  /**
   * What the answer has to be. Every token is held to it, with and without `strict`, so that the answer is
   * valid unless its `finish_reason` is `length`. Not with `stop`. Default: text.
   */
  readonly response_format?: ChatCompletionResponseFormat | null;
  /**
   * As with vLLM: JSON of this schema, or of a schema as text. At most one field says the format. Default:
   * none.
   */
  readonly guided_json?: { readonly [keyword: string]: unknown } | string | null;
  /** As with vLLM: a text that matches this regular expression as a whole. Default: none. */
  readonly guided_regex?: string | null;
  /** As with vLLM: one of these texts. Default: none. */
  readonly guided_choice?: readonly string[] | null;
  /** As with vLLM: a text of this grammar in EBNF. Default: none. */
  readonly guided_grammar?: string | null;
  /** As with vLLM's later versions: one of these members. Default: none. */
  readonly structured_outputs?: {
    /** JSON of this schema, or of a schema as text. */
    readonly json?: { readonly [keyword: string]: unknown } | string | null;
    /** A text that matches this regular expression as a whole. */
    readonly regex?: string | null;
    /** One of these texts. */
    readonly choice?: readonly string[] | null;
    /** A text of this grammar in EBNF. */
    readonly grammar?: string | null;
    /** A JSON object. */
    readonly json_object?: boolean | null;
  } | null;
  /** As with llama.cpp: JSON of this schema. Default: none. */
  readonly json_schema?: { readonly [keyword: string]: unknown } | null;
  /** As with llama.cpp: a text of this grammar in GBNF. Default: none. */
  readonly grammar?: string | null;
  /** Functions that the model may ask for. Not with `response_format`. Default: none. */
  readonly tools?: readonly ChatCompletionTool[] | null;
  /** Whether the answer calls them, or which; Mistral's "any" is "required". Default "auto". */
  readonly tool_choice?:
    | "none"
    | "auto"
    | "required"
    | "any"
    | { readonly type: "function"; readonly function: { readonly name: string } }
    | null;
  /** Whether an answer may have several calls. Default true. */
  readonly parallel_tool_calls?: boolean | null;
  /** Not OpenAI's, but of many servers: keeps the k likeliest tokens, ≥ −1; 0 and −1: all. Default 0. */
  readonly top_k?: number | null;
  /** Not OpenAI's: keeps tokens at least this fraction as likely as the likeliest, 0 … 1. Default 0. */
  readonly min_p?: number | null;
  /**
   * Not OpenAI's: divides positive logits, multiplies negative ones, of tokens in prompt and answer, 0.001 …
   * 1000. Default 1.
   */
  readonly repetition_penalty?: number | null;
  /** As with vLLM: the answer continues the text of the last message, an assistant's. Default false. */
  readonly continue_final_message?: boolean | null;
  /** As with vLLM: must be false with `continue_final_message`, true without. Default: just that. */
  readonly add_generation_prompt?: boolean | null;
}

/** The format of an answer. */
export type ChatCompletionResponseFormat =
  | {
      /** Any text. */
      readonly type: "text";
    }
  | {
      /** A JSON object. */
      readonly type: "json_object";
      /** As with llama.cpp: of this JSON Schema. */
      readonly schema?: { readonly [keyword: string]: unknown } | null;
    }
  | {
      /** JSON of a schema. */
      readonly type: "json_schema";
      /** The schema and its name. */
      readonly json_schema: {
        /** 1 to 64 letters, digits, `_` or `-`. Without effect. */
        readonly name?: string;
        /** Without effect: the model does not see it. */
        readonly description?: string | null;
        /** The JSON Schema. */
        readonly schema: { readonly [keyword: string]: unknown };
        /**
         * Refuses a schema whose root is not an object, or whose objects allow further properties or leave
         * one out. Default false.
         */
        readonly strict?: boolean | null;
      };
    };

/** A token and its log-probability. */
export interface ChatCompletionTokenTopLogprob {
  /** Text of the token. */
  token: string;
  /** Its UTF-8 bytes. */
  bytes: number[] | null;
  /** Natural logarithm of its probability, ≤ 0. */
  logprob: number;
}

/** A token of the answer, with the likeliest tokens at its position. */
export interface ChatCompletionTokenLogprob extends ChatCompletionTokenTopLogprob {
  /** `top_logprobs` tokens, likeliest first. */
  top_logprobs: ChatCompletionTokenTopLogprob[];
}

/** Log-probabilities of an answer, or of a chunk. */
export interface ChatCompletionLogprobs {
  /** One entry a token. */
  content: ChatCompletionTokenLogprob[] | null;
  /** Always null. */
  refusal: null;
}

/** Tokens of a completion. */
export interface CompletionUsage {
  /** Tokens of the prompt, counted once for all answers. */
  prompt_tokens: number;
  /** Tokens of all answers. */
  completion_tokens: number;
  /** Their sum. */
  total_tokens: number;
  /** Details of `prompt_tokens`. */
  prompt_tokens_details: {
    /** Prompt tokens that were in the cache for every answer. */
    cached_tokens: number;
  };
  /** Absent if no answer has thoughts. */
  completion_tokens_details?: {
    /** Tokens of thoughts and their tags. */
    reasoning_tokens: number;
  };
}

/** A whole completion. */
export interface ChatCompletion {
  /** Unique id. */
  id: string;
  /** What this is. */
  object: "chat.completion";
  /** Seconds since 1970. */
  created: number;
  /** The name in the request. */
  model: string;
  /** The answers. */
  choices: {
    /** Which answer, from 0. */
    index: number;
    /** The answer. */
    message: {
      /** Always the assistant. */
      role: "assistant";
      /** Text of the answer. */
      content: string | null;
      /** Not OpenAI's: what the model thought; absent if it did not. */
      reasoning_content?: string;
      /** The calls that it asks for; absent if there are none. */
      tool_calls?: ChatCompletionMessageToolCall[];
      /** Always null. */
      refusal: null;
    };
    /** With `logprobs`. */
    logprobs: ChatCompletionLogprobs | null;
    /**
     * `stop`: a token that ends the sequence, or a stop string. `length`: the limit or the context.
     * `tool_calls`: it calls functions, and the request named none.
     */
    finish_reason: "stop" | "length" | "tool_calls" | "content_filter";
  }[];
  /** Tokens of prompt and answers. */
  usage: CompletionUsage;
  /**
   * Not OpenAI's: changes made to the conversation so that its chat template accepts it; absent if there were
   * none.
   */
  warnings?: string[];
}

/** A piece of a streamed completion. */
export interface ChatCompletionChunk {
  /** The same in all chunks of a completion. */
  id: string;
  /** What this is. */
  object: "chat.completion.chunk";
  /** Seconds since 1970. */
  created: number;
  /** The name in the request. */
  model: string;
  /** A piece of one answer; empty on the chunk that has the usage. */
  choices: {
    /** Which answer, from 0. */
    index: number;
    /** What is new. */
    delta: {
      /** On the first chunk of an answer. */
      role?: "assistant";
      /** Text since the last chunk; null at the begin, if there may be calls. */
      content?: string | null;
      /** Pieces of calls. */
      tool_calls?: ChatCompletionToolCallDelta[];
      /** Not OpenAI's: what the model thought since the last chunk. */
      reasoning_content?: string;
    };
    /** With `logprobs`: those of the new text. */
    logprobs: ChatCompletionLogprobs | null;
    /** On the last chunk of an answer; null before. */
    finish_reason: "stop" | "length" | "tool_calls" | "content_filter" | null;
  }[];
  /** With `include_usage`: null, and on the last chunk that of all answers. */
  usage?: CompletionUsage | null;
  /** Not OpenAI's, on the last chunk: as of a whole completion. */
  warnings?: string[];
}

/** Options beside the parameters of a completion. */
export interface ChatCompletionOptions {
  /** Cancels the completion: the promise or the iteration rejects with the signal's reason. Default: none. */
  readonly signal?: AbortSignal | null;
}

/** `chat.completions` of an `OpenAI` client. */
export interface ChatCompletions {
  /**
   * Answers a conversation, streamed.
   *
   * @throws TypeError, RangeError if a parameter is unsupported or out of range; the error's `parameter` is
   * its name. Errors of `Model.chat` come with the first chunk.
   */
  create(
    params: ChatCompletionCreateParams & { readonly stream: true },
    options?: ChatCompletionOptions,
  ): Promise<AsyncIterable<ChatCompletionChunk>>;
  /**
   * Answers a conversation.
   *
   * @throws TypeError, RangeError if a parameter is unsupported or out of range; the error's `parameter` is
   * its name. Also the errors of `Model.chat`.
   */
  create(
    params: ChatCompletionCreateParams & { readonly stream?: false | null },
    options?: ChatCompletionOptions,
  ): Promise<ChatCompletion>;
  /** Answers a conversation, streamed if `stream` is true. */
  create(
    params: ChatCompletionCreateParams,
    options?: ChatCompletionOptions,
  ): Promise<ChatCompletion | AsyncIterable<ChatCompletionChunk>>;
}

/** The part of an `OpenAI` client that a loaded model can be. */
export interface OpenAIShape {
  /** Chat. */
  readonly chat: {
    /** Chat completions. */
    readonly completions: ChatCompletions;
  };
}
