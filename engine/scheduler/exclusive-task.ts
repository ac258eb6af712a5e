// Work that wants the GPU for itself, and a ring: it runs between two steps. Long work pauses, so that others get their steps.

import type { GpuModel } from "../resident/gpu-model.ts";
import type { RingState } from "./ring-state.ts";

/** What a job does with the model, to its end or pause by pause. While it pauses, others use all but its ring. */
export type TaskBody<T> = (gpuModel: GpuModel, ring: RingState) => Promise<T> | AsyncGenerator<void, T, void>;

export interface TaskOptions {
  readonly signal?: AbortSignal | undefined;
  /** Where the device is lost, once more on a new one. Default true. */
  readonly retryAfterLoss?: boolean;
}

export class ExclusiveTask<T = unknown> {
  readonly ring: RingState;
  readonly result: Promise<T>;
  readonly #use: TaskBody<T>;
  readonly #options: TaskOptions;
  readonly #ended: () => void;
  /** What is left of it, and where. */
  #rest: Pick<AsyncGenerator<void, T, void>, "next"> | undefined;
  #gpuModel: GpuModel | undefined;
  #resolve: (value: T) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(ring: RingState, use: TaskBody<T>, options: TaskOptions, ended: () => void) {
    this.ring = ring;
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
  async run(gpuModel: GpuModel): Promise<void> {
    const { signal, retryAfterLoss = true } = this.#options;
    try {
      signal?.throwIfAborted();
      if (this.#gpuModel !== gpuModel) {
        this.#gpuModel = gpuModel;
        await this.ring.restore(gpuModel.decoder, signal);
        const work = this.#use(gpuModel, this.ring);
        this.#rest = "next" in work ? work : { next: async () => ({ done: true, value: await work }) };
      }
      const { done, value } = await this.#rest!.next();
      if (!done) return;
      this.#ended();
      this.#resolve(value);
    } catch (error) {
      if (gpuModel.gpu.lost && retryAfterLoss && !signal?.aborted) throw error;
      this.fail(error);
    }
  }

  fail(error: unknown): void {
    this.#ended();
    this.#reject(error);
  }
}
