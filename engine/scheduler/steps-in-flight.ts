// The steps that are on their way back: enough for the GPU never to wait for the host, and no more, since those past a stop are
// computed for nothing.
import { STEPS_IN_FLIGHT } from "../graph/shape.ts";

/** One is computed while the host looks at the one before. */
const INITIAL_DEPTH = 2;

export class StepsInFlight<T = unknown> {
  readonly #pending: { readonly result: Promise<T>; done: boolean }[] = [];
  #depth = INITIAL_DEPTH;

  get hasRoom(): boolean {
    return this.#pending.length < this.#depth;
  }

  get isEmpty(): boolean {
    return this.#pending.length === 0;
  }

  submit(result: Promise<T>): void {
    const step = { result, done: false };
    const landed = () => {
      step.done = true;
    };
    // Awaited in turn, perhaps after the caller's pause: a loss meanwhile is not an unhandled rejection.
    result.then(landed, landed);
    this.#pending.push(step);
  }

  /** The oldest result. Where all the others are there as well, the GPU has run dry: from now on one more is kept in inFlight. */
  async next(): Promise<T> {
    const result = await this.#pending.shift()!.result;
    const dry = this.#pending.length > 0 && this.#pending.every(({ done }) => done);
    if (dry) this.#depth = Math.min(STEPS_IN_FLIGHT, this.#depth + 1);
    return result;
  }

  /** Waits for all, well or not. */
  async landed(): Promise<void> {
    await Promise.allSettled(this.#pending.map(({ result }) => result));
  }
}
