// One answer on its way through the scheduler: what is asked, the tokens that came, and those that its reader has taken.
import type { SamplingSettings } from "../../kernels/index.ts";
import type { Picked, Row } from "../graph/decoder.ts";
import type { RowPlace } from "../graph/held-rows.ts";
import { STEPS_IN_FLIGHT } from "../graph/shape.ts";
import type { RingState } from "./ring-state.ts";

export interface SequenceOptions {
  readonly prompt: readonly number[];
  readonly maxTokens: number;
  /** Whether the logits of each token are wanted. */
  readonly wantsLogits: boolean;
  readonly settings: SamplingSettings;
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
}

export class Sequence {
  readonly options: SequenceOptions;
  readonly ring: RingState;
  /** Prompt tokens whose keys and values need not be computed; undefined until its prefill begins. */
  cachedTokens: number | undefined;
  /** Tokens of the answer that were asked for, on their way or not. */
  submitted = 0;
  readonly #answer: number[] = [];
  /** What came and was not taken yet. */
  readonly #waiting: Picked[] = [];
  #failure: { readonly error: unknown } | undefined;
  #reader: (() => void) | undefined;

  readonly #taken: () => void;
  #prefilled = false;
  readonly #wake = () => this.#reader?.();

  /** @param taken called when its reader has taken a token: then there may be a step to submit */
  constructor(options: SequenceOptions, ring: RingState, taken: () => void) {
    this.options = options;
    this.ring = ring;
    this.#taken = taken;
    options.signal?.addEventListener("abort", this.#wake);
  }

  /** Nobody reads it any more. */
  close(): void {
    this.options.signal?.removeEventListener("abort", this.#wake);
  }

  /** The ids that came so far, taken or not. */
  get answer(): readonly number[] {
    return this.#answer;
  }

  /** Prompt tokens that are still to be computed. */
  get promptLeft(): number {
    return this.options.prompt.length - this.ring.ids.length;
  }

  /** Whether a step for it makes sense: it has begun, wants more, and its reader is not too far behind. */
  get wantsStep(): boolean {
    const ahead = this.submitted - (this.#answer.length - this.#waiting.length);
    return this.submitted > 0 && this.submitted < this.options.maxTokens && ahead < STEPS_IN_FLIGHT;
  }

  /** Where its next step stands, once all that was submitted has come. */
  get row(): Row {
    const { prompt } = this.options;
    return {
      ring: this.ring.index,
      position: prompt.length + this.#answer.length - 1,
      id: this.#answer.at(-1)!,
    };
  }

  /** Where the next step for it runs, whether those before have come or not. */
  get nextPlace(): RowPlace {
    return { ring: this.ring.index, position: this.options.prompt.length + this.submitted - 1 };
  }

  /** A step is on its way that writes the keys and values of the token before. */
  stepSubmitted(): void {
    this.ring.wrote(this.options.prompt.length + this.submitted);
    this.submitted++;
  }

  receive(picked: Picked): void {
    this.#answer.push(picked.id);
    this.#waiting.push(picked);
    this.#wake();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  /** What is on its way will not come: a device was lost. */
  forgetSubmitted(): void {
    this.submitted = this.#answer.length;
  }

  /** The next token. @throws what ended the sequence, or its signal's reason */
  async next(): Promise<Picked> {
    await this.#until(() => this.#waiting.length > 0);
    const picked = this.#waiting.shift()!;
    this.#taken();
    return picked;
  }

  /** Until the prompt is in the ring, where no token is wanted. */
  prefilled(): Promise<void> {
    return this.#until(() => this.#prefilled);
  }

  /** Tokens of the prompt, up to `end`, are in the ring when a chunk that was submitted is done. */
  promptWritten(end: number): void {
    this.ring.commit(this.options.prompt, end, "prefill");
  }

  promptDone(): void {
    this.#prefilled = true;
    this.#wake();
  }

  async #until(there: () => boolean): Promise<void> {
    const { signal } = this.options;
    while (!there()) {
      signal?.throwIfAborted();
      if (this.#failure) throw this.#failure.error;
      await new Promise<void>((resolve) => {
        this.#reader = resolve;
      });
    }
  }
}
