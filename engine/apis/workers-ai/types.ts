// The shapes of Workers AI's text generation, under Cloudflare's names, as far as they are supported. Written from
// https://developers.cloudflare.com/workers-ai/models/mistral-7b-instruct-v0.1/ ("Parameters").

export interface AiTextGenerationMessage {
  /** One of these three. Any text for the compiler, as with Cloudflare: it sees no more in a list that is not `as const`. */
  readonly role: "system" | "user" | "assistant" | (string & NonNullable<unknown>);
  readonly content: string | readonly { readonly type: "text"; readonly text: string }[];
}

interface AiTextGenerationOptions {
  /** Give the answer as it comes, as server-sent events. */
  readonly stream?: boolean;
  /** Most tokens of the answer. Default 256. */
  readonly max_tokens?: number;
  /** 0 … 5; 0: always the likeliest token. Default 0.6. */
  readonly temperature?: number;
  /** 0 … 2; from 1 on, all tokens are kept. */
  readonly top_p?: number;
  /** 1 … 50 */
  readonly top_k?: number;
  /** 1 … 9999999999. Default: random. */
  readonly seed?: number;
  /** 0.001 … 2 */
  readonly repetition_penalty?: number;
  /** 0 … 2 */
  readonly frequency_penalty?: number;
  /** 0 … 2 */
  readonly presence_penalty?: number;
}

/** A text: a user's message, or with `raw` the model's prompt itself, which then spells out its control tokens. */
interface AiPrompt {
  readonly prompt: string;
  readonly raw?: boolean;
  readonly messages?: never;
}

interface AiMessages {
  readonly messages: readonly AiTextGenerationMessage[];
  readonly prompt?: never;
  readonly raw?: never;
}

export type AiTextGenerationInput = AiTextGenerationOptions & (AiPrompt | AiMessages);

export interface AiTextGenerationUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

export interface AiTextGenerationOutput {
  readonly response: string;
  readonly usage: AiTextGenerationUsage;
  /** What was changed of the conversation so that the chat template takes it; absent where nothing was. Not Cloudflare's. */
  readonly warnings?: readonly string[];
}

export interface AiRunOptions {
  /** Ends the answer: `run` rejects, and so does the stream that is being read. */
  readonly signal?: AbortSignal;
}

/** What has Workers AI's call: an `Ai` of this package, or the binding that Cloudflare gives a Worker. */
export interface AiBinding {
  run(
    model: string,
    input: AiTextGenerationInput & { readonly stream: true },
    options?: AiRunOptions,
  ): Promise<ReadableStream<Uint8Array>>;
  run(
    model: string,
    input: AiTextGenerationInput & { readonly stream?: false },
    options?: AiRunOptions,
  ): Promise<AiTextGenerationOutput>;
  run(
    model: string,
    input: AiTextGenerationInput,
    options?: AiRunOptions,
  ): Promise<AiTextGenerationOutput | ReadableStream<Uint8Array>>;
}

/** The body of Cloudflare's REST answers that are no stream. */
export interface AiEnvelope {
  readonly result: AiTextGenerationOutput | null;
  readonly success: boolean;
  readonly errors: readonly { readonly code: number; readonly message: string }[];
  readonly messages: readonly unknown[];
}
