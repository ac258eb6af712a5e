// The ids that follow a prompt: prefill, then steps in flight. On a decoder that is not the one before, it first gets to where it was.
import type { SamplingSettings } from "../kernels/index.ts";
import type { Cache } from "./cache.ts";
import type { Decoder } from "./decoder.ts";
import { Flight } from "./flight.ts";

export interface ContinuationOptions {
  readonly cache: Cache;
  readonly prompt: readonly number[];
  /** The ids that came so far: the caller adds each, until one ends the answer. */
  readonly answer: readonly number[];
  readonly maxTokens: number;
  /** Whether the logits of each token are wanted: then there is only one under way. */
  readonly observed: boolean;
  readonly settings: SamplingSettings;
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
}

export class Continuation {
  /** Prompt tokens whose keys and values need not be computed. */
  readonly cachedTokens: number;
  readonly #options: ContinuationOptions;
  #decoder: Decoder | undefined;
  #flight: Flight;
  #logits: Float32Array | undefined;
  /** Tokens of the answer that were asked for, in flight or not. */
  #submitted = 0;

  constructor(options: ContinuationOptions) {
    const { cache, prompt } = options;
    this.#options = options;
    this.#flight = this.#newFlight();
    this.cachedTokens = cache.reusable(prompt);
    cache.begin(prompt, this.cachedTokens);
  }

  /** Makes ready for the first token, or after a loss for the next one: nothing that decides it is lost with a device. */
  async begin(decoder: Decoder): Promise<void> {
    const { cache, prompt, answer, settings, seed, signal } = this.#options;
    decoder.configure(settings, seed, prompt, answer);
    await cache.restore(decoder, signal);
    const start = cache.ids.length;
    if (start < prompt.length) {
      await decoder.prefill(prompt.slice(start), start, signal);
      cache.commit(prompt, prompt.length, "prefill");
    }
    this.#flight = this.#newFlight();
    this.#submitted = answer.length;
    const last = answer.at(-1);
    if (last !== undefined) {
      const position = prompt.length + answer.length - 1;
      await decoder.retrace(answer.slice(0, -1), prompt.length, signal);
      decoder.moveTo(position, last);
    }
    this.#decoder = decoder;
  }

  async next(decoder: Decoder): Promise<number> {
    if (decoder !== this.#decoder) await this.begin(decoder);
    while (this.#flight.hasRoom && this.#submitted < this.#options.maxTokens) {
      this.#flight.submit(this.#token(decoder, this.#submitted === 0 ? "first" : "step"));
      this.#submitted++;
    }
    return this.#flight.next();
  }

  /** What the last token was picked from, [V] before penalties, where it is observed. */
  get logits(): Float32Array | undefined {
    return this.#logits;
  }

  async #token(decoder: Decoder, which: "first" | "step"): Promise<number> {
    if (!this.#options.observed) return decoder[which]();
    const { id, logits } = await decoder.observed(which);
    this.#logits = logits;
    return id;
  }

  #newFlight(): Flight {
    return this.#options.observed ? new Flight(1) : new Flight();
  }

  /** After an error or an abort on the way: what is in the ring is not known. */
  abandon(): void {
    this.#options.cache.begin(this.#options.prompt, 0);
    this.#submitted = 0;
  }

  /** Steps past the end are taken back: their slots hold nothing that a later token will see. */
  async end(): Promise<void> {
    const { cache, prompt, answer } = this.#options;
    await this.#flight.landed();
    if (this.#submitted === 0) return;
    cache.commit([...prompt, ...answer], prompt.length + this.#submitted - 1, "retrace");
  }
}
