// A loaded model: what people hold. One answer runs at a time; calls wait for their turn.
import type { Tokenizer } from "../tokenizer/index.ts";
import { type Checkpoint, CheckpointError, type ModelConfig } from "../weights/index.ts";
import type {
  AdapterDescription,
  AttentionWeights,
  Candidate,
  Chunk,
  GenerateOptions,
  KernelTime,
  Message,
  Model,
  Plan,
  Score,
} from "./api.ts";
import { Cache } from "./cache.ts";
import { ContextLengthError } from "./errors.ts";
import { generate } from "./generate.ts";
import { attentionOf, candidatesOf, profileStep } from "./inspect.ts";
import { openai } from "./openai.ts";
import type { Residence } from "./residence.ts";
import type { Resident } from "./resident.ts";
import type { Lease } from "./store-lock.ts";
import { Turns } from "./turns.ts";

export interface ModelParts {
  readonly checkpoint: Checkpoint;
  /** undefined where the checkpoint has none: then it takes token ids only. */
  readonly tokenizer: Tokenizer | undefined;
  readonly residence: Residence;
  /** The right to the stored model, where it is one: it ends with the model, or the model with it. */
  readonly lease?: Lease | undefined;
}

export class LoadedModel implements Model {
  readonly config: ModelConfig;
  readonly contextLength: number;
  readonly openai = openai(this);
  readonly #parts: Omit<ModelParts, "residence">;
  /** What needs the GPU goes through it, so that it is done again where the device is lost. */
  readonly #residence: Residence;
  readonly #cache: Cache;
  readonly #turns = new Turns();
  readonly #endIds: ReadonlySet<number>;

  constructor(parts: ModelParts) {
    this.#parts = parts;
    this.#residence = parts.residence;
    this.config = parts.checkpoint.config;
    this.contextLength = this.plan.contextLength;
    this.#cache = new Cache(this.config, this.plan.cacheSlots);
    const { eosTokenIds } = this.config;
    const eosId = parts.tokenizer?.eosId;
    this.#endIds = new Set(eosTokenIds.length > 0 || eosId === undefined ? eosTokenIds : [eosId]);
    // Between two calls: the GPU's memory is for who has the model now.
    const taken = parts.lease?.signal;
    taken?.addEventListener("abort", () => {
      void this.#turns.take().then((done) => {
        this.dispose();
        done();
      });
    });
  }

  get plan(): Plan {
    return this.#residence.last.plan;
  }

  get adapter(): AdapterDescription {
    return this.#residence.last.gpu.adapter;
  }

  generate(
    prompt: string | readonly number[],
    options: GenerateOptions = {},
  ): AsyncGenerator<Chunk, void, void> {
    return this.#answer(() => this.#ids(prompt), true, options);
  }

  chat(messages: readonly Message[], options: GenerateOptions = {}): AsyncGenerator<Chunk, void, void> {
    return this.#answer(() => this.#tokenizer.encodeChat(messages), false, options);
  }

  async *#answer(
    encode: () => readonly number[],
    continues: boolean,
    options: GenerateOptions,
  ): AsyncGenerator<Chunk, void, void> {
    const done = await this.#turn();
    try {
      const ids = encode();
      const text = this.#parts.tokenizer?.stream({ continues });
      const generation = {
        residence: this.#residence,
        cache: this.#cache,
        contextLength: this.contextLength,
        ids,
        text,
        endIds: this.#endIds,
      };
      yield* generate(generation, options);
    } finally {
      done();
    }
  }

  async score(
    text: string | readonly number[],
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<Score> {
    const done = await this.#turn();
    try {
      const ids = this.#ids(text);
      this.#checkLength(ids);
      this.#cache.begin(ids, 0);
      const logProbs = await this.#residence.run(async ({ decoder }) => {
        await this.#cache.restore(decoder);
        return decoder.score(ids, signal);
      }, signal);
      this.#cache.commit(ids, Math.max(0, ids.length - 1), "prefill");
      const mean = logProbs.reduce((sum, value) => sum + value, 0) / logProbs.length;
      return { logProbs, perplexity: Math.exp(-mean) };
    } finally {
      done();
    }
  }

  async logits(
    ids: readonly number[],
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<Float32Array> {
    const done = await this.#turn();
    try {
      const checked = this.#ids(ids);
      this.#checkLength(checked);
      const start = this.#cache.reusable(checked);
      // The last token of a sequence that is there is only computed again; what follows it stays.
      const held = this.#cache.holds(checked);
      if (!held) this.#cache.begin(checked, start);
      const logits = await this.#residence
        .run(async ({ decoder }) => {
          await this.#cache.restore(decoder, signal);
          await decoder.prefill(checked.slice(start), start, signal);
          return decoder.logits();
        }, signal)
        .catch((error: unknown) => {
          this.#cache.begin(checked, 0);
          throw error;
        });
      if (!held) this.#cache.commit(checked, checked.length, "prefill");
      return logits;
    } finally {
      done();
    }
  }

  async profile(): Promise<KernelTime[]> {
    const done = await this.#turn();
    try {
      return await this.#residence.run(async ({ gpu, decoder }) => {
        await this.#cache.restore(decoder);
        return profileStep({ gpu, decoder, cache: this.#cache });
      });
    } finally {
      done();
    }
  }

  async attention(
    ids: readonly number[],
    options: { readonly layer: number; readonly head?: number; readonly signal?: AbortSignal },
  ): Promise<AttentionWeights> {
    const done = await this.#turn();
    try {
      const checked = this.#ids(ids);
      this.#checkLength(checked);
      return await this.#residence.run(async ({ gpu, decoder }) => {
        await this.#cache.restore(decoder, options.signal);
        return attentionOf({ gpu, decoder, cache: this.#cache }, checked, options);
      }, options.signal);
    } finally {
      done();
    }
  }

  async candidates(
    ids: readonly number[],
    { count = 10, signal }: { readonly count?: number; readonly signal?: AbortSignal } = {},
  ): Promise<Candidate[]> {
    const logits = await this.logits(ids, signal ? { signal } : {});
    return candidatesOf(logits, count, this.#parts.tokenizer);
  }

  /**
   * Runs `use`, alone, with what of the model lies on the GPU; what the cache held is forgotten. For measurements: not
   * part of the public interface, and not done again where the device is lost.
   */
  async measure<T>(use: (resident: Resident) => Promise<T>): Promise<T> {
    const done = await this.#turn();
    try {
      this.#cache.begin([], 0);
      return await use(await this.#residence.ready());
    } finally {
      done();
    }
  }

  async encode(text: string): Promise<number[]> {
    return this.#tokenizer.encode(text);
  }

  async encodeChat(messages: readonly Message[]): Promise<number[]> {
    return this.#tokenizer.encodeChat(messages);
  }

  async decode(ids: readonly number[]): Promise<string> {
    return this.#tokenizer.decode(ids);
  }

  dispose(): void {
    this.#parts.lease?.release();
    this.#residence.dispose();
  }

  /** Waits for the calls before this one. @throws DeviceLostError after `dispose`, ModelInUseError after a take-over. */
  async #turn(): Promise<() => void> {
    const done = await this.#turns.take();
    try {
      this.#parts.lease?.signal.throwIfAborted();
      this.#residence.check();
      return done;
    } catch (error) {
      done();
      throw error;
    }
  }

  get #tokenizer(): Tokenizer {
    const { tokenizer, checkpoint } = this.#parts;
    if (tokenizer) return tokenizer;
    throw new CheckpointError(
      `${checkpoint.source.name}: expected tokenizer.json, got no such file. Fetch it, or pass token ids.`,
    );
  }

  #ids(prompt: string | readonly number[]): readonly number[] {
    if (typeof prompt === "string") return this.#tokenizer.encode(prompt);
    if (prompt.length === 0) throw new RangeError("prompt: expected at least one token id, got none.");
    for (const id of prompt) {
      if (!Number.isInteger(id) || id < 0 || id >= this.config.V) {
        throw new RangeError(`prompt: expected token ids from 0 to ${this.config.V - 1}, got ${id}.`);
      }
    }
    return prompt;
  }

  #checkLength(ids: readonly number[]): void {
    if (ids.length <= this.contextLength) return;
    throw new ContextLengthError(
      `tokens: expected at most ${this.contextLength}, got ${ids.length}. Shorten the text, or load with a larger contextLength.`,
    );
  }
}
