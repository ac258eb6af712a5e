// The supported shapes of Workers AI's text generation, under Cloudflare's names. Source:
// https://developers.cloudflare.com/workers-ai/models/mistral-7b-instruct-v0.1/ ("Parameters").

/** A message of a conversation. */
export interface AiTextGenerationMessage {
  /**
   * One of these three. The type is any text, as in Cloudflare's types: the compiler infers no more from a
   * list without `as const`.
   */
  readonly role: "system" | "user" | "assistant" | "tool" | (string & NonNullable<unknown>);
  /** A text, or texts that are joined. */
  readonly content:
    | string
    | readonly {
        /** The only kind. */
        readonly type: "text";
        /** The text. */
        readonly text: string;
      }[];
  /** Of an assistant: the calls that it asked for. */
  readonly tool_calls?: readonly AiToolCall[];
  /** Of a tool: the id of the call that it answers. Default: the call of its name. */
  readonly tool_call_id?: string;
  /** Of a tool: its name. */
  readonly name?: string;
}

/** A function that a model may ask for. */
export interface AiFunction {
  /** 1 … 64 letters, digits, `_` or `-`. */
  readonly name: string;
  /** What it does, for the model. */
  readonly description?: string;
  /** A JSON Schema of its arguments, which are held to it. */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** A call that a model asks for. */
export interface AiToolCall {
  /** Name of the function. */
  readonly name: string;
  /** Its arguments, parsed. */
  readonly arguments: unknown;
}

/** Options of an answer, with Cloudflare's bounds. */
export interface AiTextGenerationOptions {
  /** Stream the answer as server-sent events. Default false. */
  readonly stream?: boolean;
  /** Functions that the model may ask for, as they are or as OpenAI wraps them. Default: none. */
  readonly tools?: readonly (AiFunction | { readonly type: "function"; readonly function: AiFunction })[];
  /** Maximum number of tokens of the answer, ≥ 1. Default 256. */
  readonly max_tokens?: number;
  /** Divides the logits, 0 … 5; 0: always the likeliest token. Default 0.6. */
  readonly temperature?: number;
  /** Keeps the likeliest tokens whose probabilities add up to this, 0 … 2; from 1 on: all. Default 1. */
  readonly top_p?: number;
  /** Keeps the k likeliest tokens, 1 … 50. Default: all. */
  readonly top_k?: number;
  /** Same seed, same tokens on the same adapter: 1 … 9999999999. Default: random. */
  readonly seed?: number;
  /**
   * Divides positive logits, multiplies negative ones, of tokens in prompt and answer, 0.001 … 2. Default 1.
   */
  readonly repetition_penalty?: number;
  /** Subtracted from a token's logit for each time it is in the answer, 0 … 2. Default 0. */
  readonly frequency_penalty?: number;
  /** Subtracted once from the logits of tokens in the answer, 0 … 2. Default 0. */
  readonly presence_penalty?: number;
  /** The LoRA adapter that answers: its name, or on a server the id of its finetune. Default: none. */
  readonly lora?: string;
}

/** A text as input. */
export interface AiPrompt {
  /** The text: a user's message, unless `raw` is true. */
  readonly prompt: string;
  /**
   * Whether `prompt` is the model's whole prompt, including the control tokens written in it. Default false.
   */
  readonly raw?: boolean;
  /** Not with `prompt`. */
  readonly messages?: never;
}

/** A conversation as input. */
export interface AiMessages {
  /** The conversation, at least one message. */
  readonly messages: readonly AiTextGenerationMessage[];
  /** Not with `messages`. */
  readonly prompt?: never;
  /** Whether the text of the only message, a user's, is the model's whole prompt. Default false. */
  readonly raw?: boolean;
}

/** Input of `run`: `prompt` or `messages`, and options of the answer. */
export type AiTextGenerationInput = AiTextGenerationOptions & (AiPrompt | AiMessages);

/** What `response` has to be: a JSON object, or JSON of a schema. */
export interface AiResponseFormat {
  /** `text` asks for nothing. */
  readonly type: "text" | "json_object" | "json_schema";
  /** With `json_schema`: the JSON Schema itself, without a name around it. */
  readonly json_schema?: { readonly [keyword: string]: unknown };
}

/** Input of `run` for an answer in JSON. It is not streamed. */
export type AiJsonInput = AiTextGenerationInput & {
  /** The format of the answer. */
  readonly response_format: AiResponseFormat;
  /** Not with `response_format`. */
  readonly stream?: false;
};

/** Tokens of an answer. */
export interface AiTextGenerationUsage {
  /** Tokens of the prompt. */
  readonly prompt_tokens: number;
  /** Tokens of the answer. */
  readonly completion_tokens: number;
  /** Their sum. */
  readonly total_tokens: number;
}

/** A whole answer. */
export interface AiTextGenerationOutput {
  /** Text of the answer. */
  readonly response: string;
  /**
   * What the model thought; of a stream, since the last event. Absent if it did not. An extension of
   * Cloudflare's shape.
   */
  readonly reasoning_content?: string;
  /** The calls that the model asks for; of a stream, in its last event. Absent if there are none. */
  readonly tool_calls?: readonly AiToolCall[];
  /** Tokens of prompt and answer. */
  readonly usage: AiTextGenerationUsage;
  /**
   * Changes to the conversation that the chat template needed. Absent if there were none. An extension of
   * Cloudflare's shape.
   */
  readonly warnings?: readonly string[];
}

/** A whole answer in JSON. */
export interface AiJsonOutput extends Omit<AiTextGenerationOutput, "response"> {
  /** The answer, parsed. */
  readonly response: unknown;
}

/** Options of `run` beside the input. */
export interface AiRunOptions {
  /** Ends the answer: `run` or the stream rejects with its reason. Default: none. */
  readonly signal?: AbortSignal;
}

/** Workers AI's call: an `Ai` of this package, or the binding in a Cloudflare Worker. */
export interface AiBinding {
  /** Answers with JSON, parsed. @throws AiError "JSON Mode couldn't be met" if `max_tokens` cuts it off */
  run(model: string, input: AiJsonInput, options?: AiRunOptions): Promise<AiJsonOutput>;
  /** Answers with a stream of server-sent events. @throws AiError */
  run(
    model: string,
    input: AiTextGenerationInput & { readonly stream: true },
    options?: AiRunOptions,
  ): Promise<ReadableStream<Uint8Array>>;
  /** Answers with the whole text. @throws AiError */
  run(
    model: string,
    input: AiTextGenerationInput & { readonly stream?: false },
    options?: AiRunOptions,
  ): Promise<AiTextGenerationOutput>;
  /** Answers, as a stream if `stream` is true. @throws AiError */
  run(
    model: string,
    input: AiTextGenerationInput,
    options?: AiRunOptions,
  ): Promise<AiTextGenerationOutput | ReadableStream<Uint8Array>>;
}

/** Body of Cloudflare's REST answers, unless they are streams. */
export interface AiEnvelope {
  /** The answer; null after an error. */
  readonly result: AiTextGenerationOutput | AiJsonOutput | null;
  /** False after an error. */
  readonly success: boolean;
  /** What went wrong. */
  readonly errors: readonly {
    /** Cloudflare's internal code. */
    readonly code: number;
    /** For people: what was expected, and what was received. */
    readonly message: string;
  }[];
  /** Always empty. */
  readonly messages: readonly unknown[];
}
