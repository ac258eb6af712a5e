// A model that is a list of pieces, and keeps what it was asked: for tests of what stands around one.
import type { Chunk, Finish, GenerateOptions, Message } from "../../engine/api.ts";

interface Call {
  readonly prompt: string | readonly number[] | readonly Message[];
  readonly options: Omit<GenerateOptions, "signal">;
  readonly signal?: AbortSignal;
}

export class StandIn {
  /** What it was asked. */
  readonly calls: Call[] = [];
  /** Pieces given, and answers that have begun and not ended. */
  made = 0;
  running = 0;
  /** Thrown in place of an answer. */
  failure: Error | undefined;
  /** The next piece does not come before the signal. */
  waits = false;
  readonly #pieces: readonly string[];

  constructor(pieces: readonly string[]) {
    this.#pieces = pieces;
  }

  chat(messages: readonly Message[], options: GenerateOptions = {}): AsyncGenerator<Chunk, void, void> {
    return this.#answer(messages, options);
  }

  generate(
    prompt: string | readonly number[],
    options: GenerateOptions = {},
  ): AsyncGenerator<Chunk, void, void> {
    return this.#answer(prompt, options);
  }

  async *#answer(
    prompt: Call["prompt"],
    { signal, ...options }: GenerateOptions,
  ): AsyncGenerator<Chunk, void, void> {
    this.calls.push({ prompt, options, ...(signal && { signal }) });
    if (this.failure) throw this.failure;
    this.running++;
    try {
      for (const text of this.#pieces) {
        if (this.waits) await aborted(signal);
        if (signal?.aborted) return yield { text: "", ids: [], finish: this.#finish("abort") };
        this.made++;
        yield { text, ids: [this.made] };
      }
      yield { text: "", ids: [], finish: this.#finish("stop") };
    } finally {
      this.running--;
    }
  }

  #finish(reason: Finish["reason"]): Finish {
    return {
      ...{ reason, promptTokens: 7, cachedTokens: 0, completionTokens: this.#pieces.length },
      ...{ waitedMs: 0, prefillMs: 1, decodeMs: 1 },
    };
  }
}

const aborted = (signal: AbortSignal | undefined) =>
  new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));

export const bytesText = (stream: ReadableStream<Uint8Array>): Promise<string> => new Response(stream).text();
