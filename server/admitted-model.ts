// The model as one request uses it: each answer waits for its turn, and its tokens are counted.
import type { Chunk, Finish, GenerateOptions, Model } from "../engine/node.ts";
import type { Permit } from "./admission.ts";
import type { RequestLifecycle } from "./request-lifecycle.ts";
import type { Service } from "./service.ts";

/**
 * Every call takes one of the request's permits. Unused permits are released when the request ends.
 */
export class AdmittedModel {
  readonly #service: Service;
  readonly #lifecycle: RequestLifecycle;
  readonly #permits: Permit[];

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
    const { metrics, model } = this.#service;
    try {
      const began = performance.now();
      await turn;
      const queueMs = performance.now() - began;
      lifecycle.queueMs = Math.max(lifecycle.queueMs, queueMs);
      metrics.queued(queueMs);
      for await (const chunk of start(model)) {
        if (lifecycle.ttftMs === undefined && chunk.ids.length > 0) {
          lifecycle.ttftMs = performance.now() - lifecycle.began;
          metrics.firstToken(lifecycle.ttftMs);
        }
        const finish = chunk.finish && warnings.length > 0 ? { ...chunk.finish, warnings } : chunk.finish;
        if (finish) this.#count(finish);
        yield finish ? { ...chunk, finish } : chunk;
      }
    } finally {
      release();
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
