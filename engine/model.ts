// A loaded model: what people hold. One answer runs at a time; calls wait for their turn.
import type { Tokenizer } from "../tokenizer/index.ts";
import { type Checkpoint, CheckpointError, type ModelConfig } from "../weights/index.ts";
import type { AdapterDescription, Chunk, GenerateOptions, Message, Model, Plan, Score } from "./api.ts";
import type { Buffers } from "./buffers.ts";
import { Cache } from "./cache.ts";
import type { Decoder } from "./decoder.ts";
import type { Gpu } from "./device.ts";
import { ContextLengthError, DeviceLostError } from "./errors.ts";
import { generate } from "./generate.ts";
import { Turns } from "./turns.ts";
import type { Weights } from "./weights.ts";

export interface ModelParts {
  readonly checkpoint: Checkpoint;
  /** undefined where the checkpoint has none: then it takes token ids only. */
  readonly tokenizer: Tokenizer | undefined;
  readonly plan: Plan;
  readonly gpu: Gpu;
  readonly buffers: Buffers;
  readonly decoder: Decoder;
  readonly weights: Weights;
}

export class LoadedModel implements Model {
  readonly config: ModelConfig;
  readonly plan: Plan;
  readonly adapter: AdapterDescription;
  readonly contextLength: number;
  readonly #parts: ModelParts;
  readonly #cache: Cache;
  readonly #turns = new Turns();
  readonly #endIds: ReadonlySet<number>;
  #disposed = false;

  constructor(parts: ModelParts) {
    this.#parts = parts;
    this.config = parts.checkpoint.config;
    this.plan = parts.plan;
    this.adapter = parts.gpu.adapter;
    this.contextLength = parts.plan.contextLength;
    this.#cache = new Cache(this.config, parts.plan.cacheSlots);
    const { eosTokenIds } = this.config;
    const eosId = parts.tokenizer?.eosId;
    this.#endIds = new Set(eosTokenIds.length > 0 || eosId === undefined ? eosTokenIds : [eosId]);
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
      const { decoder } = this.#parts;
      yield* generate({ decoder, cache: this.#cache, ids, text, endIds: this.#endIds }, options);
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
      const logProbs = await this.#parts.decoder.score(ids, signal);
      this.#cache.commit(ids, Math.max(0, ids.length - 1));
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
      this.#cache.begin(checked, start);
      const logits = await this.#parts.decoder
        .prefill(checked.slice(start), start, signal)
        .then(() => this.#parts.decoder.logits())
        .catch((error: unknown) => {
          this.#cache.begin(checked, 0);
          throw error;
        });
      this.#cache.commit(checked, checked.length);
      return logits;
    } finally {
      done();
    }
  }

  /**
   * Runs `use`, alone, with what the model is made of; what the cache held is forgotten. For measurements: not part of
   * the public interface.
   */
  async measure<T>(use: (parts: Pick<ModelParts, "gpu" | "decoder" | "weights">) => Promise<T>): Promise<T> {
    const done = await this.#turn();
    try {
      this.#cache.begin([], 0);
      return await use(this.#parts);
    } finally {
      done();
    }
  }

  async encode(text: string): Promise<number[]> {
    return this.#tokenizer.encode(text);
  }

  async decode(ids: readonly number[]): Promise<string> {
    return this.#tokenizer.decode(ids);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#parts.buffers.destroy();
    this.#parts.gpu.dispose();
  }

  /** Waits for the calls before this one. @throws DeviceLostError after `dispose`. */
  async #turn(): Promise<() => void> {
    const done = await this.#turns.take();
    if (!this.#disposed) return done;
    done();
    throw new DeviceLostError("model: expected a loaded model, got a disposed one. Load it again.");
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
