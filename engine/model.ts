// A loaded model: what people hold. Answers run side by side in the batch; what wants the GPU for itself runs between two steps.
import type { Tokenizer } from "../tokenizer/index.ts";
import { type Checkpoint, CheckpointError, type ModelConfig } from "../weights/index.ts";
import { type Generation, generate } from "./answer/generate.ts";
import type {
  Activity,
  AdapterDescription,
  AnswerOptions,
  AttentionOptions,
  AttentionWeights,
  CallOptions,
  Candidate,
  CandidatesOptions,
  ChatOptions,
  Chunk,
  EncodeChatOptions,
  Finish,
  GenerateOptions,
  KernelTime,
  Message,
  Model,
  Plan,
  SaveSessionOptions,
  Score,
} from "./api.ts";
import { openai } from "./apis/openai/completions.ts";
import { ContextLengthError } from "./errors.ts";
import { checkIds, checkKnown, checkList } from "./graph/prompt-ids.ts";
import { checkBias } from "./graph/sampler.ts";
import { checkOptions } from "./options/check.ts";
import { outOfRange, shown, wrongType } from "./options/parameter.ts";
import {
  attentionRules,
  callRules,
  candidatesRules,
  checkGenerate,
  encodeChatRules,
  saveSessionRules,
} from "./options/tables.ts";
import { checkMessages } from "./read-messages.ts";
import type { DeviceRecovery } from "./resident/device-recovery.ts";
import type { GpuModel } from "./resident/gpu-model.ts";
import { RingPool } from "./scheduler/ring-pool.ts";
import { RingState } from "./scheduler/ring-state.ts";
import { Scheduler } from "./scheduler/scheduler.ts";
import { inSlices } from "./slices.ts";
import type { Lease } from "./store/lock.ts";

/** Of an answer whose prompt was not even read to its end. */
const abortedEarly: Finish = {
  reason: "abort",
  ...{ promptTokens: 0, cachedTokens: 0, completionTokens: 0, waitedMs: 0, prefillMs: 0, decodeMs: 0 },
};

/** The conversation that was answered last. */
const latest = (rings: RingPool) => rings.borrow([]);

export interface ModelParts {
  readonly checkpoint: Checkpoint;
  /** undefined where the checkpoint has none: then it takes token ids only. */
  readonly tokenizer: Tokenizer | undefined;
  readonly recovery: DeviceRecovery;
  /** The right to the stored model, where it is one: it ends with the model, or the model with it. */
  readonly lease?: Lease | undefined;
}

export class LoadedModel implements Model {
  readonly config: ModelConfig;
  readonly contextLength: number;
  readonly openai = openai(this);
  readonly #parts: Omit<ModelParts, "recovery">;
  /** What needs the GPU goes through it, so that it is done again where the device is lost. */
  readonly #recovery: DeviceRecovery;
  readonly #rings: RingPool;
  readonly #scheduler: Scheduler;
  readonly #endIds: ReadonlySet<number>;

  constructor(parts: ModelParts) {
    this.#parts = parts;
    this.#recovery = parts.recovery;
    this.config = parts.checkpoint.config;
    this.contextLength = this.plan.contextLength;
    const { rings, cacheSlots } = this.plan;
    this.#rings = new RingPool(
      Array.from({ length: rings }, (_, i) => new RingState(this.config, cacheSlots, i)),
    );
    this.#scheduler = new Scheduler(parts.recovery, this.#rings, parts.lease);
    // A fine-tune may name its end in one place only: any of config.json, generation_config.json, the tokenizer's files.
    const { eosId, namesEos = false } = parts.tokenizer ?? {};
    // The usual id, taken where config.json says nothing, may be any token of another vocabulary.
    const eosTokenIds = parts.checkpoint.endsGiven || !namesEos ? this.config.eosTokenIds : [];
    const own = eosId !== undefined && (namesEos || eosTokenIds.length === 0) ? [eosId] : [];
    this.#endIds = new Set([...eosTokenIds, ...own]);
    // When all answers have ended: the GPU's memory is for who has the model now.
    parts.lease?.signal.addEventListener("abort", () => {
      void this.#scheduler.idle().then(() => this.dispose());
    });
  }

  get plan(): Plan {
    return this.#recovery.last.plan;
  }

  get adapter(): AdapterDescription {
    return this.#recovery.last.gpu.adapter;
  }

  async *generate(
    prompt: string | readonly number[],
    options: GenerateOptions = {},
  ): AsyncGenerator<Chunk, void, void> {
    this.#checkAnswer("generate", options);
    const encode = async () => ({ ids: await this.#ids(prompt, "prompt", options.signal, false) });
    yield* this.#answer(encode, !options.standalone, options);
  }

  async *chat(messages: readonly Message[], options: ChatOptions = {}): AsyncGenerator<Chunk, void, void> {
    this.#checkAnswer("chat", options);
    const { continueFinalMessage = false } = options;
    const encode = () => this.#chatIds(messages, continueFinalMessage, options.signal);
    yield* this.#answer(encode, continueFinalMessage, options);
  }

  #checkAnswer(call: "generate" | "chat", options: AnswerOptions): void {
    this.#scheduler.check();
    checkGenerate(call, options);
    checkBias(options.logitBias, this.config.V);
  }

  async *#answer(
    encode: () => Promise<Pick<Generation, "ids" | "warnings">>,
    continues: boolean,
    options: AnswerOptions,
  ): AsyncGenerator<Chunk, void, void> {
    let prompt: Pick<Generation, "ids" | "warnings">;
    try {
      prompt = await encode();
    } catch (error) {
      const { signal } = options;
      if (!signal?.aborted || error !== signal.reason) throw error;
      yield { text: "", ids: [], finish: abortedEarly };
      return;
    }
    const text = this.#parts.tokenizer?.stream({ continues });
    const { contextLength } = this;
    yield* generate(
      { scheduler: this.#scheduler, contextLength, ...prompt, text, endIds: this.#endIds },
      options,
    );
  }

  async #chatIds(
    messages: readonly Message[],
    continueFinalMessage: boolean,
    signal: AbortSignal | undefined,
  ): Promise<{ ids: number[]; warnings: string[] }> {
    checkMessages(messages);
    const warnings: string[] = [];
    const options = {
      addGenerationPrompt: !continueFinalMessage,
      continueFinalMessage,
      onWarning: (warning: string) => warnings.push(warning),
    };
    const ids = await inSlices(this.#tokenizer.encodeChatSteps(messages, options), signal);
    checkIds(ids, this.config.V, "messages", this.#tokenText);
    return { ids, warnings };
  }

  async score(text: string | readonly number[], options: CallOptions = {}): Promise<Score> {
    checkOptions("score", options, callRules);
    const { signal } = options;
    const ids = await this.#ids(text, "text", signal);
    if (ids.length < 2)
      throw outOfRange(
        "text",
        "expected at least two tokens, got one, which has nothing before it to go by.",
      );
    this.#checkLength(ids);
    const run = async function* ({ decoder }: GpuModel, ring: RingState) {
      ring.begin(ids, 0);
      const logProbs = yield* decoder.score(ring.index, ids, signal);
      ring.commit(ids, Math.max(0, ids.length - 1), "prefill");
      return logProbs;
    };
    const logProbs = await this.#scheduler.runExclusive((rings) => rings.borrow(ids), run, { signal });
    const mean = logProbs.reduce((sum, value) => sum + value, 0) / logProbs.length;
    return { logProbs, perplexity: Math.exp(-mean) };
  }

  async logits(ids: readonly number[], options: CallOptions = {}): Promise<Float32Array> {
    checkOptions("logits", options, callRules);
    const { signal } = options;
    const checked = this.#idList(ids);
    this.#checkLength(checked);
    const run = async function* ({ decoder }: GpuModel, ring: RingState) {
      const start = ring.reusable(checked);
      // The last token of a sequence that is there is only computed again; what follows it stays.
      const held = ring.holds(checked);
      if (!held) {
        ring.begin(checked, start);
        // Should it end before it has come so far.
        ring.wrote(checked.length);
      }
      yield* decoder.prefillInChunks(ring.index, checked.slice(start), start, signal);
      const logits = await decoder.logits(ring.index, checked.length - 1);
      if (!held) ring.commit(checked, checked.length, "prefill");
      return logits;
    };
    return this.#scheduler.runExclusive((rings) => rings.borrow(checked), run, { signal });
  }

  async profile(): Promise<KernelTime[]> {
    const { profileStep } = await import("./inspect.ts");
    return this.#scheduler.runExclusive(latest, ({ gpu, decoder }, ring) =>
      profileStep({ gpu, decoder, ring }),
    );
  }

  async attention(ids: readonly number[], options: AttentionOptions): Promise<AttentionWeights> {
    checkOptions("attention", options, attentionRules);
    if (options?.layer === undefined) throw wrongType("layer", "expected a whole number, got nothing.");
    const checked = this.#idList(ids);
    this.#checkLength(checked);
    const { attentionOf } = await import("./inspect.ts");
    const run = ({ gpu, decoder }: GpuModel, ring: RingState) =>
      attentionOf({ gpu, decoder, ring }, checked, options);
    return this.#scheduler.runExclusive((rings) => rings.borrow(checked), run, { signal: options.signal });
  }

  async candidates(ids: readonly number[], options: CandidatesOptions = {}): Promise<Candidate[]> {
    checkOptions("candidates", options, candidatesRules);
    const { count = 10, signal } = options;
    const logits = await this.logits(ids, signal ? { signal } : {});
    const { candidatesOf } = await import("./inspect.ts");
    return candidatesOf(logits, count, this.#parts.tokenizer);
  }

  async activity(): Promise<Activity> {
    return this.#scheduler.activity;
  }

  async saveSession(options: SaveSessionOptions = {}): Promise<Uint8Array<ArrayBuffer> | undefined> {
    checkOptions("saveSession", options, saveSessionRules);
    const kept = this.#rings.used[options.conversation ?? 0];
    if (!kept) return undefined;
    const { saveRing } = await import("./session/saved-ring.ts");
    return this.#scheduler.runExclusive(
      (rings) => rings.claim(kept),
      (gpuModel, ring) => saveRing(gpuModel, ring, this.config),
    );
  }

  async restoreSession(session: Uint8Array<ArrayBuffer>): Promise<readonly number[]> {
    if (!(session instanceof Uint8Array))
      throw wrongType("session", `expected the bytes of saveSession, a Uint8Array, got ${shown(session)}.`);
    const { restoreRing } = await import("./session/saved-ring.ts");
    return this.#scheduler.runExclusive(
      (rings) => rings.take([]),
      (gpuModel, ring) => restoreRing(gpuModel, ring, this.config, session),
    );
  }

  /**
   * Runs `use` with what of the model lies on the GPU, while no answer runs; what the rings held is forgotten. For measurements:
   * not part of the public interface, and not done again where the device is lost.
   */
  async measure<T>(use: (gpuModel: GpuModel) => Promise<T>): Promise<T> {
    const run = (gpuModel: GpuModel) => {
      for (const ring of this.#rings.all) ring.begin([], 0);
      return use(gpuModel);
    };
    return this.#scheduler.runExclusive(latest, run, { retryAfterLoss: false });
  }

  async encode(text: string, options: CallOptions = {}): Promise<number[]> {
    checkOptions("encode", options, callRules);
    if (typeof text !== "string") throw wrongType("text", `expected a text, got ${shown(text)}.`);
    const ids = await inSlices(this.#tokenizer.encodeSteps(text, { suffix: false }), options.signal);
    checkKnown(ids, this.config.V, "text", this.#tokenText);
    return ids;
  }

  async encodeChat(messages: readonly Message[], options: EncodeChatOptions = {}): Promise<number[]> {
    checkOptions("encodeChat", options, encodeChatRules);
    const { continueFinalMessage = false, signal, onWarning } = options;
    const { ids, warnings } = await this.#chatIds(messages, continueFinalMessage, signal);
    for (const warning of warnings) onWarning?.(warning);
    return ids;
  }

  async decode(ids: readonly number[], options: CallOptions = {}): Promise<string> {
    checkOptions("decode", options, callRules);
    checkList(ids, "ids");
    const tokenizer = this.#tokenizer;
    const { V } = this.config;
    // The others are no text, as in an answer.
    const named = function* () {
      for (const id of ids) {
        if (tokenizer.has(id)) yield id;
        else checkKnown([id], V, "ids");
      }
    };
    return inSlices(tokenizer.decodeSteps(named()), options.signal);
  }

  dispose(): void {
    this.#parts.lease?.release();
    this.#recovery.dispose();
    this.#scheduler.wake();
  }

  get #tokenizer(): Tokenizer {
    const { tokenizer, checkpoint } = this.#parts;
    if (tokenizer) return tokenizer;
    throw new CheckpointError(
      `${checkpoint.source.name}: expected tokenizer.json, got no such file. Fetch it, or pass token ids.`,
    );
  }

  #idList(ids: readonly number[]): readonly number[] {
    checkList(ids, "ids");
    checkIds(ids, this.config.V, "ids", this.#tokenText);
    return ids;
  }

  /**
   * @param parameter what a message calls it
   * @param suffix with the end that a few tokenizers put behind a text: not where the text goes on
   */
  async #ids(
    prompt: string | readonly number[],
    parameter: string,
    signal?: AbortSignal,
    suffix = true,
  ): Promise<readonly number[]> {
    if (typeof prompt !== "string") checkList(prompt, parameter, "a text or a list of token ids");
    const ids =
      typeof prompt === "string"
        ? await inSlices(this.#tokenizer.encodeSteps(prompt, { suffix }), signal)
        : prompt;
    checkIds(ids, this.config.V, parameter, this.#tokenText);
    return ids;
  }

  /** For messages about ids. */
  readonly #tokenText = (id: number): string | undefined => {
    const { tokenizer } = this.#parts;
    return tokenizer?.has(id) ? tokenizer.tokenText(id) : undefined;
  };

  #checkLength(ids: readonly number[]): void {
    if (ids.length <= this.contextLength) return;
    throw new ContextLengthError(
      `tokens: expected at most ${this.contextLength}, got ${ids.length}. Shorten the text, or load with a larger contextLength.`,
    );
  }
}
