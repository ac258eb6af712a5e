// The answers of one request: each waits for its turn, and is counted as it comes.
import type { Chunk, Finish, GenerateOptions, Model } from "../engine/node.ts";
import type { Ticket } from "./admission.ts";
import type { Exchange } from "./exchange.ts";
import type { Service } from "./service.ts";

/**
 * The model as one request may use it: each call uses one of the request's tickets. Unused tickets are released when the
 * request ends.
 */
export class Answers {
  readonly #service: Service;
  readonly #exchange: Exchange;
  readonly #tickets: Ticket[];

  /** @throws HttpError where there is no room for the request */
  constructor(service: Service, exchange: Exchange, count = 1) {
    this.#service = service;
    this.#exchange = exchange;
    const tickets = service.admission.admit(count, exchange.signal);
    this.#tickets = [...tickets];
    exchange.onEnd(() => {
      for (const { release } of tickets) release();
    });
  }

  /** @param warnings what was changed in the prompt's conversation, for the answer's `finish` */
  generate(
    ids: readonly number[],
    options: GenerateOptions,
    warnings: readonly string[] = [],
  ): AsyncGenerator<Chunk, void, void> {
    return this.#answer((model) => model.generate(ids, options), warnings);
  }

  /** Work that is no answer, but takes the GPU like one. */
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
    const exchange = this.#exchange;
    const { metrics, model } = this.#service;
    try {
      const began = performance.now();
      await turn;
      const queueMs = performance.now() - began;
      exchange.queueMs = Math.max(exchange.queueMs, queueMs);
      metrics.queued(queueMs);
      for await (const chunk of start(model)) {
        if (exchange.ttftMs === undefined && chunk.ids.length > 0) {
          exchange.ttftMs = performance.now() - exchange.began;
          metrics.firstToken(exchange.ttftMs);
        }
        const finish = chunk.finish && warnings.length > 0 ? { ...chunk.finish, warnings } : chunk.finish;
        if (finish) this.#count(finish);
        yield finish ? { ...chunk, finish } : chunk;
      }
    } finally {
      release();
    }
  }

  #take(): Ticket {
    const ticket = this.#tickets.shift();
    if (!ticket) throw new Error("answers: expected a place that was taken, got none left.");
    return ticket;
  }

  #count({ promptTokens, cachedTokens, completionTokens, decodeMs, warnings }: Finish): void {
    if (warnings) this.#exchange.warnings = warnings;
    this.#exchange.promptTokens += promptTokens;
    this.#exchange.cachedTokens += cachedTokens;
    this.#exchange.completionTokens += completionTokens;
    this.#service.metrics.answered(promptTokens, cachedTokens, completionTokens, decodeMs);
  }
}
