// The model as one request uses it: each answer waits for its turn, and its tokens are counted.
import type { Chunk, Finish, GenerateOptions, Model, Moderation } from "../engine/node.ts";
import type { Permit } from "./admission.ts";
import { HttpError } from "./errors.ts";
import { findingOf, screened } from "./moderation.ts";
import type { RequestLifecycle } from "./request-lifecycle.ts";
import type { Service } from "./service.ts";

/**
 * Every call takes one of the request's permits. Unused permits are released when the request ends.
 */
export class AdmittedModel {
  readonly #service: Service;
  readonly #lifecycle: RequestLifecycle;
  readonly #permits: Permit[];
  /** What was found in the prompt. */
  readonly #findings: string[] = [];

  /** @throws HttpError if the queue is full or the server is shutting down */
  constructor(service: Service, lifecycle: RequestLifecycle, count = 1) {
    this.#service = service;
    this.#lifecycle = lifecycle;
    const permits = service.admission.admit(count, lifecycle.signal);
    this.#permits = [...permits];
    lifecycle.onEnd(() => {
      for (const { release } of permits) release();
    });
  }

  /** @param warnings changes made to the conversation, reported in the answer's `finish` */
  generate(
    ids: readonly number[],
    options: GenerateOptions,
    warnings: readonly string[] = [],
  ): AsyncGenerator<Chunk, void, void> {
    return this.#answer((model) => model.generate(ids, options), warnings);
  }

  /**
   * With `--moderate`: judges what the request says, when its first answer may start. That answer keeps its
   * permit.
   * @throws HttpError 400 if it is flagged, and is to be rejected
   */
  async screen(said: string): Promise<void> {
    const { moderate } = this.#service;
    const [permit] = this.#permits;
    if (!moderate || !permit) return;
    await permit.turn;
    const found = await this.#find(said, "prompt");
    if (!found) return;
    if (moderate === "reject")
      throw new HttpError(400, `${found} Ask something else.`, { code: "content_filter" });
    this.#findings.push(found);
  }

  /** Judges a text, under a permit. */
  moderate(text: string, kind: "prompt" | "answer"): Promise<Moderation> {
    return this.run(async () => {
      const verdict = await this.#judge(text, kind);
      this.#lifecycle.promptTokens += verdict.promptTokens;
      this.#lifecycle.cachedTokens += verdict.cachedTokens;
      return verdict;
    });
  }

  async #find(text: string, kind: "prompt" | "answer"): Promise<string | undefined> {
    return findingOf(await this.#judge(text, kind), kind);
  }

  async #judge(text: string, kind: "prompt" | "answer"): Promise<Moderation> {
    const { model, metrics } = this.#service;
    const verdict = await model.moderate(text, { kind, signal: this.#lifecycle.signal });
    metrics.moderated(kind, verdict);
    return verdict;
  }

  /** A prompt was scored: its tokens went through the model, and none came from the cache. */
  countScored(promptTokens: number): void {
    this.#lifecycle.promptTokens += promptTokens;
    this.#service.metrics.answered(promptTokens, 0, 0, 0);
  }

  /** Runs other work that uses the GPU, under a permit. */
  async run<T>(work: (model: Model) => Promise<T>): Promise<T> {
    const { release, turn } = this.#take();
    try {
      await turn;
      return await work(this.#service.model);
    } finally {
      release();
    }
  }

  async *#answer(
    start: (model: Model) => AsyncGenerator<Chunk, void, void>,
    warnings: readonly string[],
  ): AsyncGenerator<Chunk, void, void> {
    const { release, turn } = this.#take();
    const lifecycle = this.#lifecycle;
    const { metrics, model, moderate } = this.#service;
    try {
      const began = performance.now();
      await turn;
      const queueMs = performance.now() - began;
      lifecycle.queueMs = Math.max(lifecycle.queueMs, queueMs);
      metrics.queued(queueMs);
      const timed = this.#timed(start(model));
      const chunks = moderate ? screened(timed, moderate, (text) => this.#find(text, "answer")) : timed;
      for await (const chunk of chunks) {
        const { finish } = chunk;
        const all = [...warnings, ...this.#findings, ...(finish?.warnings ?? [])];
        const counted = finish && { ...finish, ...(all.length > 0 && { warnings: all }) };
        if (counted) this.#count(counted);
        yield counted ? { ...chunk, finish: counted } : chunk;
      }
    } finally {
      release();
    }
  }

  /** Notes when the first token came. */
  async *#timed(chunks: AsyncIterable<Chunk>): AsyncGenerator<Chunk, void, void> {
    const lifecycle = this.#lifecycle;
    for await (const chunk of chunks) {
      if (lifecycle.ttftMs === undefined && chunk.ids.length > 0) {
        lifecycle.ttftMs = performance.now() - lifecycle.began;
        this.#service.metrics.firstToken(lifecycle.ttftMs);
      }
      yield chunk;
    }
  }

  #take(): Permit {
    const permit = this.#permits.shift();
    if (!permit) throw new Error("request: expected a permit, got none left. This is a bug in the server.");
    return permit;
  }

  #count({ promptTokens, cachedTokens, completionTokens, decodeMs, warnings }: Finish): void {
    if (warnings) this.#lifecycle.warnings = warnings;
    this.#lifecycle.promptTokens += promptTokens;
    this.#lifecycle.cachedTokens += cachedTokens;
    this.#lifecycle.completionTokens += completionTokens;
    this.#service.metrics.answered(promptTokens, cachedTokens, completionTokens, decodeMs);
  }
}
