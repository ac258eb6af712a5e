// Work that wants the GPU for itself, and a ring: it runs between two steps.
import type { Cache } from "./cache.ts";
import type { Resident } from "./resident.ts";

export interface JobOptions {
  readonly signal?: AbortSignal | undefined;
  /** Where the device is lost, once more on a new one. Default true. */
  readonly again?: boolean;
}

export class Job<T = unknown> {
  readonly cache: Cache;
  readonly result: Promise<T>;
  readonly #use: (resident: Resident, cache: Cache) => Promise<T>;
  readonly #options: JobOptions;
  readonly #ended: () => void;
  #resolve: (value: T) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(
    cache: Cache,
    use: (resident: Resident, cache: Cache) => Promise<T>,
    options: JobOptions,
    ended: () => void,
  ) {
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

  /** @throws where the device is lost and it is to run again */
  async run(resident: Resident): Promise<void> {
    const { signal, again = true } = this.#options;
    try {
      signal?.throwIfAborted();
      await this.cache.restore(resident.decoder, signal);
      const value = await this.#use(resident, this.cache);
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
