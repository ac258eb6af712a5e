// The steps that were submitted and not received yet: enough that the GPU never waits for the host, and no
// more, since steps past the end of an answer are wasted.
import { STEPS_IN_FLIGHT } from "../graph/shape.ts";

/** The GPU computes one step while the host handles the one before. */
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
    // The result is awaited later, after the steps before it: until then a rejection is handled here.
    result.then(landed, landed);
    this.#pending.push(step);
  }

  /**
   * The oldest result. If all later ones have arrived too, the GPU was idle: from then on one more step is
   * kept in flight.
   */
  async next(): Promise<T> {
    const result = await this.#pending.shift()!.result;
    const wasIdle = this.#pending.length > 0 && this.#pending.every(({ done }) => done);
    if (wasIdle) this.#depth = Math.min(STEPS_IN_FLIGHT, this.#depth + 1);
    return result;
  }

  /** Resolves when all have settled, well or not. */
  async landed(): Promise<void> {
    await Promise.allSettled(this.#pending.map(({ result }) => result));
  }
}
