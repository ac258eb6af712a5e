// Work that needs the GPU for itself, and a ring: it runs between two steps. Long work pauses, and others get
// a step.

import type { GpuModel } from "../resident/gpu-model.ts";
import type { RingPool } from "./ring-pool.ts";
import type { RingState } from "./ring-state.ts";
import type { Waiting } from "./wait-queue.ts";

/** Chooses the ring that a task works in. @returns undefined while there is none */
export type RingChoice = (rings: RingPool) => RingState | undefined;

/**
 * The work: a promise, or a generator that pauses at each `yield`. During a pause others may use everything
 * but its ring.
 */
export type TaskBody<T> = (gpuModel: GpuModel, ring: RingState) => Promise<T> | AsyncGenerator<void, T, void>;

export interface TaskOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whether to run again on a new device when the device is lost. Default true. */
  readonly retryAfterLoss?: boolean;
}

export class ExclusiveTask<T = unknown> implements Waiting {
  readonly options: TaskOptions;
  readonly result: Promise<T>;
  readonly #choose: RingChoice;
  readonly #body: TaskBody<T>;
  #ring: RingState | undefined;
  /** The rest of the work, on this model. */
  #rest: Pick<AsyncGenerator<void, T, void>, "next"> | undefined;
  #gpuModel: GpuModel | undefined;
  #isDone = false;
  #resolve: (value: T) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(choose: RingChoice, body: TaskBody<T>, options: TaskOptions) {
    this.#choose = choose;
    this.#body = body;
    this.options = options;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Awaited by the caller, perhaps later than it settles.
    this.result.catch(() => {});
  }

  /** @returns whether its ring was free */
  begin(rings: RingPool): boolean {
    this.#ring = this.#choose(rings);
    return this.#ring !== undefined;
  }

  /** Its ring, once it has begun. */
  get ring(): RingState {
    return this.#ring!;
  }

  /** Whether `result` has settled. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Runs up to the next pause or the end. @throws when the device is lost and the task is to run again */
  async run(gpuModel: GpuModel): Promise<void> {
    const { signal, retryAfterLoss = true } = this.options;
    try {
      signal?.throwIfAborted();
      if (this.#gpuModel !== gpuModel) {
        this.#gpuModel = gpuModel;
        await this.ring.restore(gpuModel.decoder, signal);
        const work = this.#body(gpuModel, this.ring);
        this.#rest = "next" in work ? work : { next: async () => ({ done: true, value: await work }) };
      }
      const { done, value } = await this.#rest!.next();
      if (!done) return;
      this.#isDone = true;
      this.#resolve(value);
    } catch (error) {
      if (gpuModel.gpu.lost && retryAfterLoss && !signal?.aborted) throw error;
      this.fail(error);
    }
  }

  fail(error: unknown): void {
    this.#isDone = true;
    this.#reject(error);
  }
}
