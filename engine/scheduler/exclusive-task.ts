// Work that wants the GPU for itself, and a ring: it runs between two steps. Long work pauses, so that others get their steps.

import type { Resident } from "../resident/gpu-model.ts";
import type { Cache } from "./ring-state.ts";

/** What a job does with the model, to its end or pause by pause. While it pauses, others use all but its ring. */
export type Use<T> = (resident: Resident, cache: Cache) => Promise<T> | AsyncGenerator<void, T, void>;

export interface JobOptions {
  readonly signal?: AbortSignal | undefined;
  /** Where the device is lost, once more on a new one. Default true. */
  readonly again?: boolean;
}

export class Job<T = unknown> {
  readonly cache: Cache;
  readonly result: Promise<T>;
  readonly #use: Use<T>;
  readonly #options: JobOptions;
  readonly #ended: () => void;
  /** What is left of it, and where. */
  #rest: Pick<AsyncGenerator<void, T, void>, "next"> | undefined;
  #resident: Resident | undefined;
  #resolve: (value: T) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(cache: Cache, use: Use<T>, options: JobOptions, ended: () => void) {
    this.cache = cache;
    this.#use = use;
    this.#options = options;
    this.#ended = ended;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever waits for it may only come to it later.
    this.result.catch(() => {});
  }

  /** Up to its next pause, or its end. @throws where the device is lost and it is to run again */
  async run(resident: Resident): Promise<void> {
    const { signal, again = true } = this.#options;
    try {
      signal?.throwIfAborted();
      if (this.#resident !== resident) {
        this.#resident = resident;
        await this.cache.restore(resident.decoder, signal);
        const work = this.#use(resident, this.cache);
        this.#rest = "next" in work ? work : { next: async () => ({ done: true, value: await work }) };
      }
      const { done, value } = await this.#rest!.next();
      if (!done) return;
      this.#ended();
      this.#resolve(value);
    } catch (error) {
      if (resident.gpu.lost && again && !signal?.aborted) throw error;
      this.fail(error);
    }
  }

  fail(error: unknown): void {
    this.#ended();
    this.#reject(error);
  }
}
