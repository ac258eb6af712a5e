// A loaded model. Answers run side by side in the scheduler; calls that need the GPU for themselves run
// between two steps.
import type { Tokenizer } from "../tokenizer/index.ts";
import type { Checkpoint, ModelConfig, Source } from "../weights/index.ts";
import type { Adapters } from "./adapters/adapters.ts";
import type {
  Activity,
  AdapterDescription,
  AdapterSource,
  AddAdapterOptions,
  Answer,
  AnswerOptions,
  AttentionOptions,
  AttentionWeights,
  CallOptions,
  Candidate,
  CandidatesOptions,
  ChatOptions,
  Chunk,
  Classification,
  ClassifyOptions,
  EncodeChatOptions,
  EncodeTextOptions,
  Extraction,
  GenerateOptions,
  JsonSchema,
  KernelTime,
  Message,
  Model,
  ModerateOptions,
  Moderation,
  PassOptions,
  Plan,
  SaveSessionOptions,
  Score,
  ScoreOptions,
  StandardSchema,
} from "./api.ts";
import { openai } from "./apis/openai/completions.ts";
import { type Answering, composeAnswer, formatConstraint, type Prompt } from "./compose-answer.ts";
import { endIdsOf } from "./end-ids.ts";
import { checkLength } from "./graph/prompt-ids.ts";
import { checkBias } from "./graph/sampler.ts";
import { checkOptions } from "./options/check.ts";
import { shown, wrongType } from "./options/parameter.ts";
import {
  attentionRules,
  callRules,
  candidatesRules,
  checkGenerate,
  encodeChatRules,
  encodeRules,
  passRules,
  saveSessionRules,
  scoreRules,
} from "./options/tables.ts";
import { Prompts } from "./prompts.ts";
import type { DeviceRecovery } from "./resident/device-recovery.ts";
import type { GpuModel } from "./resident/gpu-model.ts";
import { RingPool } from "./scheduler/ring-pool.ts";
import { RingState } from "./scheduler/ring-state.ts";
import { Scheduler } from "./scheduler/scheduler.ts";
import type { TokenConstraint } from "./scheduler/token-constraint.ts";
import type { Lease } from "./store/lock.ts";

/** Chooses the ring of the last conversation. */
const latest = (rings: RingPool) => rings.borrow([]);

export interface ModelParts {
  readonly checkpoint: Checkpoint;
  /** undefined if the checkpoint has none: then prompts are token ids. */
  readonly tokenizer: Tokenizer | undefined;
  readonly recovery: DeviceRecovery;
  readonly adapters: Adapters;
  /** Opens the source of an adapter. */
  readonly openSource: (name: string, options: AddAdapterOptions) => Source | Promise<Source>;
  /**
   * The lease of a stored model. `dispose` releases it; if another tab takes it over, the model is disposed
   * of.
   */
  readonly lease?: Lease | undefined;
}

export class LoadedModel implements Model {
  readonly config: ModelConfig;
  readonly contextLength: number;
  readonly openai = openai(this);
  readonly #parts: Omit<ModelParts, "recovery">;
  readonly #recovery: DeviceRecovery;
  readonly #rings: RingPool;
  readonly #scheduler: Scheduler;
  readonly #prompts: Prompts;
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
    this.#prompts = new Prompts(parts.checkpoint, parts.tokenizer);
    this.#scheduler = new Scheduler(parts.recovery, this.#rings, parts.lease);
    this.#endIds = endIdsOf(parts.checkpoint, parts.tokenizer);
    // Frees the GPU's memory for the tab that took the model over, once all answers have ended.
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
    const encode = async () => ({
      tools: await this.#prompts.toolsOf(options),
      ids: await this.#prompts.ofText(prompt, "prompt", false, options.signal),
    });
    yield* this.#answer(encode, !options.standalone, options, options.separateReasoning);
  }

  async *chat(messages: readonly Message[], options: ChatOptions = {}): AsyncGenerator<Chunk, void, void> {
    this.#checkAnswer("chat", options);
    const { continueFinalMessage = false } = options;
    const encode = () => this.#prompts.ofChat(messages, options);
    yield* this.#answer(encode, continueFinalMessage, options, true);
  }

  async answer(messages: readonly Message[], options: ChatOptions = {}): Promise<Answer> {
    const { wholeAnswer } = await import("./whole-answer.ts");
    return wholeAnswer(this.chat(messages, options), options?.signal);
  }

  #checkAnswer(call: "generate" | "chat", options: AnswerOptions): void {
    this.#scheduler.check();
    checkGenerate(call, options);
    checkBias(options.logitBias, this.config.V);
  }

  #answer(
    encode: () => Promise<Prompt>,
    continues: boolean,
    options: ChatOptions,
    separate = false,
  ): AsyncGenerator<Chunk, void, void> {
    return composeAnswer(this.#answering, encode, { continues, separate }, options);
  }

  get #answering(): Answering {
    const { tokenizer, adapters } = this.#parts;
    const { contextLength } = this;
    return {
      ...{ tokenizer, adapters, contextLength },
      scheduler: this.#scheduler,
      V: this.config.V,
      endIds: this.#endIds,
    };
  }

  /** What every other call begins with. @throws DeviceLostError, ModelInUseError; TypeError, RangeError */
  #check(call: string, options: unknown, rules: Parameters<typeof checkOptions>[2]): void {
    this.#scheduler.check();
    checkOptions(call, options, rules);
  }

  /** What holds an answer to a format. */
  async constraint(
    format: AnswerOptions["format"],
    continues: boolean,
  ): Promise<TokenConstraint | undefined> {
    return formatConstraint(this.#answering, format, continues);
  }

  async extract<Output>(
    messages: readonly Message[],
    schema: StandardSchema<Output> | JsonSchema,
    options: Omit<ChatOptions, "format"> = {},
  ): Promise<Extraction<Output>> {
    const { extract } = await import("./extract.ts");
    return extract(this, messages, schema, options);
  }

  async classify<Label extends string>(
    text: string | readonly Message[],
    labels: readonly Label[],
    options: ClassifyOptions = {},
  ): Promise<Classification<Label>> {
    const { classify } = await import("./guard/classify.ts");
    const parts = {
      scheduler: this.#scheduler,
      adapters: this.#parts.adapters,
      prompts: this.#prompts,
      plan: this.plan,
      endIds: this.#endIds,
    };
    return classify(parts, text, labels, options);
  }

  async moderate(text: string, options: ModerateOptions = {}): Promise<Moderation> {
    return (await import("./guard/moderate.ts")).moderate(this, text, options);
  }

  async score(text: string | readonly number[], options: ScoreOptions = {}): Promise<Score> {
    this.#check("score", options, scoreRules);
    const ids = await this.#prompts.ofText(text, "text", true, options.signal);
    checkLength(ids, this.contextLength);
    return (await import("./passes.ts")).score({ ...this.#parts, scheduler: this.#scheduler }, ids, options);
  }

  async logits(ids: readonly number[], options: PassOptions = {}): Promise<Float32Array> {
    this.#check("logits", options, passRules);
    const checked = this.#prompts.check(ids);
    checkLength(checked, this.contextLength);
    const { logits } = await import("./passes.ts");
    return logits({ ...this.#parts, scheduler: this.#scheduler }, checked, options);
  }

  async profile(): Promise<KernelTime[]> {
    const { profileStep } = await import("./inspect.ts");
    return this.#scheduler.runExclusive(latest, ({ gpu, decoder }, ring) =>
      profileStep({ gpu, decoder, ring }),
    );
  }

  async attention(ids: readonly number[], options: AttentionOptions): Promise<AttentionWeights> {
    this.#check("attention", options, attentionRules);
    if (options?.layer === undefined) throw wrongType("layer", "expected a whole number, got nothing.");
    const checked = this.#prompts.check(ids);
    checkLength(checked, this.contextLength);
    const { attentionOf } = await import("./inspect.ts");
    const run = ({ gpu, decoder }: GpuModel, ring: RingState) =>
      attentionOf({ gpu, decoder, ring }, checked, options);
    return this.#scheduler.runExclusive((rings) => rings.borrow(checked), run, { signal: options.signal });
  }

  async candidates(ids: readonly number[], options: CandidatesOptions = {}): Promise<Candidate[]> {
    this.#check("candidates", options, candidatesRules);
    const { count = 10, ...asked } = options;
    const logits = await this.logits(ids, asked);
    const { candidatesOf } = await import("./inspect.ts");
    return candidatesOf(logits, count, this.#parts.tokenizer);
  }

  async activity(): Promise<Activity> {
    this.#scheduler.check();
    return this.#scheduler.activity;
  }

  async saveSession(options: SaveSessionOptions = {}): Promise<Uint8Array<ArrayBuffer> | undefined> {
    this.#check("saveSession", options, saveSessionRules);
    const kept = this.#rings.used[options.conversation ?? 0];
    if (!kept) return undefined;
    const { saveRing } = await import("./session/saved-ring.ts");
    return this.#scheduler.runExclusive(
      (rings) => rings.claim(kept),
      (gpuModel, ring) => saveRing(gpuModel, ring, this.config),
    );
  }

  async restoreSession(session: Uint8Array<ArrayBuffer>): Promise<readonly number[]> {
    this.#scheduler.check();
    if (!(session instanceof Uint8Array))
      throw wrongType("session", `expected the bytes of saveSession, a Uint8Array, got ${shown(session)}.`);
    const { restoreRing } = await import("./session/saved-ring.ts");
    return this.#scheduler.runExclusive(
      (rings) => rings.take([]),
      (gpuModel, ring) => restoreRing(gpuModel, ring, this.#parts, session),
    );
  }

  get adapters(): readonly string[] {
    return this.#parts.adapters.loaded.map(({ name }) => name);
  }

  async addAdapter(name: string, source: AdapterSource, options: AddAdapterOptions = {}): Promise<void> {
    this.#scheduler.check();
    const { addAdapter } = await import("./adapters/add.ts");
    await addAdapter({ ...this.#parts, scheduler: this.#scheduler }, name, source, options);
  }

  async removeAdapter(name: string): Promise<void> {
    this.#scheduler.check();
    const { removeAdapter } = await import("./adapters/add.ts");
    await removeAdapter({ ...this.#parts, scheduler: this.#scheduler, rings: this.#rings.all }, name);
  }

  /**
   * Runs `use` on the model's GPU half while no answer runs. Empties all rings. For measurements: not public,
   * and not repeated after a device loss.
   */
  async measure<T>(use: (gpuModel: GpuModel) => Promise<T>): Promise<T> {
    const run = (gpuModel: GpuModel) => {
      for (const ring of this.#rings.all) {
        ring.begin([], 0);
        ring.use(undefined, gpuModel.decoder);
      }
      return use(gpuModel);
    };
    return this.#scheduler.runExclusive(latest, run, { retryAfterLoss: false });
  }

  async encode(text: string, options: EncodeTextOptions = {}): Promise<number[]> {
    this.#check("encode", options, encodeRules);
    return this.#prompts.encode(text, options);
  }

  async encodeChat(messages: readonly Message[], options: EncodeChatOptions = {}): Promise<number[]> {
    this.#check("encodeChat", options, encodeChatRules);
    const { ids, warnings } = await this.#prompts.ofChat(messages, options);
    for (const warning of warnings) options.onWarning?.(warning);
    return ids;
  }

  async decode(ids: readonly number[], options: CallOptions = {}): Promise<string> {
    this.#check("decode", options, callRules);
    return this.#prompts.decode(ids, options.signal);
  }

  async tokenizerInfo() {
    this.#scheduler.check();
    return this.#prompts.tokenizerInfo();
  }

  dispose(): void {
    this.#parts.lease?.release();
    this.#recovery.dispose();
    this.#scheduler.wake();
  }
}
