// One answer: what was asked, which tokens were submitted, received, and taken by its reader.
import type { SamplingSettings } from "../../kernels/index.ts";
import type { PromptProgress } from "../api.ts";
import { Gate } from "../gate.ts";
import type { AdapterMix } from "../graph/adapter-use.ts";
import type { Picked, Row } from "../graph/decoder.ts";
import type { RowPlace } from "../graph/held-rows.ts";
import { STEPS_IN_FLIGHT } from "../graph/shape.ts";
import type { RingPool } from "./ring-pool.ts";
import type { RingState } from "./ring-state.ts";
import type { TokenConstraint } from "./token-constraint.ts";
import type { Waiting } from "./wait-queue.ts";

export interface SequenceOptions {
  readonly prompt: readonly number[];
  readonly maxTokens: number;
  /** Whether the logits of each token are wanted. */
  readonly wantsLogits: boolean;
  readonly settings: SamplingSettings;
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
  /** Default: none. */
  readonly mix?: AdapterMix | undefined;
  /** Which tokens may be picked. Each step then waits for the token before it. Default: all. */
  readonly constraint?: TokenConstraint | undefined;
  /** Hears how much of the prompt is computed. Default: nobody. */
  readonly onProgress?: ((progress: PromptProgress) => void) | undefined;
}

export class Sequence implements Waiting {
  readonly options: SequenceOptions;
  /** Prompt tokens whose keys and values need not be computed; undefined until its prefill begins. */
  cachedTokens: number | undefined;
  /** Tokens of the answer that were submitted, received or not. */
  submitted = 0;
  /** Steps that may be submitted before their tokens are received. */
  readonly lookahead: number;
  #ring: RingState | undefined;
  readonly #answer: number[] = [];
  /** Tokens of prompt and answer, from the first, that prefill computes. */
  #prefillEnd: number;
  /** The least forced tokens that are taken at once. */
  readonly #leastForced: number;
  /** Received, and not yet taken by the reader. */
  readonly #untaken: Picked[] = [];
  #failure: { readonly error: unknown } | undefined;
  #prefilled = false;
  /** Opens when the reader may find something new. */
  readonly #news = new Gate();
  /** The scheduler's: opened when the reader takes a token, since a step may then be submitted. */
  readonly #schedulerGate: Gate;
  readonly #onAbort = () => this.#news.open();

  /** @param leastForced fewer tokens that a constraint forces take a step each */
  constructor(options: SequenceOptions, schedulerGate: Gate, leastForced: number) {
    this.options = options;
    this.#prefillEnd = options.prompt.length;
    this.#leastForced = leastForced;
    this.lookahead = options.constraint ? 1 : STEPS_IN_FLIGHT;
    this.#schedulerGate = schedulerGate;
    options.signal?.addEventListener("abort", this.#onAbort);
  }

  /** @returns whether a ring was free */
  begin(rings: RingPool): boolean {
    this.#ring = rings.take(this.options.prompt, this.options.mix);
    return this.#ring !== undefined;
  }

  /** Its ring, once it has begun. */
  get ring(): RingState {
    return this.#ring!;
  }

  /** Its reader has left. */
  close(): void {
    this.options.signal?.removeEventListener("abort", this.#onAbort);
  }

  /** The ids received so far, taken or not. */
  get answer(): readonly number[] {
    return this.#answer;
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Whether the host must know each token before the next step. */
  get isConstrained(): boolean {
    return this.options.constraint !== undefined;
  }

  /** The tokens that prefill is still to compute: of the prompt, or forced ones of the answer. */
  get unprefilled(): readonly number[] {
    return this.needsPrefill ? this.#tokens.slice(this.ring.ids.length, this.#prefillEnd) : [];
  }

  get #tokens(): readonly number[] {
    const { prompt } = this.options;
    return this.#prefillEnd > prompt.length ? [...prompt, ...this.#answer] : prompt;
  }

  get needsPrefill(): boolean {
    return !this.#isOver && this.ring.ids.length < this.#prefillEnd;
  }

  /** Whether no token can follow those that were received. */
  get #isOver(): boolean {
    const { maxTokens, constraint } = this.options;
    return this.#answer.length > 0 && (this.#answer.length >= maxTokens || constraint?.complete === true);
  }

  /** Whether the constraint is complete with the last token that the reader took. */
  get isComplete(): boolean {
    return this.options.constraint?.complete === true && this.#untaken.length === 0;
  }

  /** End of the positions whose keys and values were submitted. */
  get submittedEnd(): number {
    if (this.ring.ids.length < this.#prefillEnd) return this.ring.ids.length;
    return this.options.prompt.length + this.submitted - 1;
  }

  /** The tokens whose keys and values are to be computed by decode steps again, after those of the ring. */
  get retraced(): readonly number[] {
    const start = this.ring.ids.length;
    if (start < this.#prefillEnd) return [];
    return this.#answer.slice(start - this.options.prompt.length, -1);
  }

  /**
   * Whether to submit a step: it has begun, wants more, and neither the GPU nor its reader is too far behind.
   */
  get wantsStep(): boolean {
    const { submitted, lookahead, failed } = this;
    if (failed || submitted === 0 || submitted >= this.options.maxTokens) return false;
    if (this.#isOver || this.needsPrefill) return false;
    const taken = this.#answer.length - this.#untaken.length;
    const isWaitingForGpu = submitted - this.#answer.length >= lookahead;
    const isWaitingForReader = submitted - taken >= STEPS_IN_FLIGHT;
    return !isWaitingForGpu && !isWaitingForReader;
  }

  /** Whether a token was submitted and not received. */
  get awaitsToken(): boolean {
    return this.submitted > this.#answer.length;
  }

  /** The row of its next step, once all its tokens are received. */
  get row(): Row {
    const { prompt } = this.options;
    const position = prompt.length + this.#answer.length - 1;
    return { ring: this.ring.index, position, id: this.#answer.at(-1)! };
  }

  /** Where its next step runs, whether the tokens before it are received or not. */
  get nextPlace(): RowPlace {
    return { ring: this.ring.index, position: this.options.prompt.length + this.submitted - 1 };
  }

  /** A chunk of `unprefilled` was submitted: the tokens up to `end` are in the ring once that is done. */
  chunkSubmitted(end: number): void {
    this.ring.commit(this.#tokens, end, "prefill");
  }

  /** The prompt's keys and values are computed up to `end`. */
  computed(end: number): void {
    const { prompt, onProgress } = this.options;
    try {
      onProgress?.({ total: prompt.length, cached: this.cachedTokens ?? 0, processed: end });
    } catch (error) {
      this.fail(error);
    }
  }

  /** A step was submitted, which writes the keys and values of the token before. */
  stepSubmitted(): void {
    this.ring.wrote(this.options.prompt.length + this.submitted);
    this.submitted++;
  }

  /** The whole prompt is in the ring, and no token is wanted. */
  promptDone(): void {
    this.#prefilled = true;
    this.#news.open();
  }

  receive(picked: Picked): void {
    if (this.failed) return;
    try {
      this.#take(picked);
      this.#takeForced();
    } catch (error) {
      this.fail(error);
    }
    this.#news.open();
  }

  #take(picked: Picked): void {
    this.#answer.push(picked.id);
    this.#untaken.push(picked);
    this.options.constraint?.accept(picked.id);
  }

  /** Takes the tokens that the constraint forces, if there are enough. No logits come with them. */
  #takeForced(): void {
    const { prompt, maxTokens, constraint, wantsLogits } = this.options;
    if (!constraint?.forced || wantsLogits || this.#isOver) return;
    const forced = constraint.forced();
    if (forced.length < this.#leastForced) return;
    // Decode steps computed all tokens but the last, which prefill computes with the forced ones.
    const end = prompt.length + this.#answer.length - 1;
    this.ring.commit([...prompt, ...this.#answer], end, "retrace");
    for (const id of forced.slice(0, maxTokens - this.#answer.length)) this.#take({ id });
    this.submitted = this.#answer.length;
    this.#prefillEnd = prompt.length + this.#answer.length - 1;
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#news.open();
  }

  /** What was submitted and not received is lost with its device. */
  forgetSubmitted(): void {
    this.submitted = this.#answer.length;
  }

  /** For the reader: the next token. @throws the error that ended the sequence, or its signal's reason */
  async next(): Promise<Picked> {
    await this.#until(() => this.#untaken.length > 0);
    const picked = this.#untaken.shift()!;
    this.#schedulerGate.open();
    return picked;
  }

  /** For the reader, if no token is wanted: resolves when the prompt is in the ring. @throws as `next` */
  prefilled(): Promise<void> {
    return this.#until(() => this.#prefilled);
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      this.options.signal?.throwIfAborted();
      if (this.#failure) throw this.#failure.error;
      await this.#news.next();
    }
  }
}
