// The decoded tokens that are on their way back: enough for the GPU never to wait for the host, and no more, since those past a
// stop are computed for nothing.
import { STEPS_IN_FLIGHT } from "./cache.ts";

/** One is computed while the host looks at the one before. */
const AT_FIRST = 2;

export class Flight {
  readonly #pending: { readonly id: Promise<number>; done: boolean }[] = [];
  #depth: number;

  /** `depth` 1: nothing is computed ahead, ever. */
  constructor(depth = AT_FIRST) {
    this.#depth = depth;
  }

  get hasRoom(): boolean {
    return this.#pending.length < this.#depth;
  }

  submit(id: Promise<number>): void {
    const step = { id, done: false };
    const landed = () => {
      step.done = true;
    };
    // Awaited in turn, perhaps after the caller's pause: a loss meanwhile is not an unhandled rejection.
    id.then(landed, landed);
    this.#pending.push(step);
  }

  /** The oldest token. Where all the others are there as well, the GPU has run dry: from now on one more is kept in flight. */
  async next(): Promise<number> {
    const id = await this.#pending.shift()!.id;
    const dry = this.#pending.length > 0 && this.#pending.every(({ done }) => done);
    if (dry) this.#depth = Math.min(STEPS_IN_FLIGHT, this.#depth + 1);
    return id;
  }

  /** Waits for all, well or not. */
  async landed(): Promise<void> {
    await Promise.allSettled(this.#pending.map(({ id }) => id));
  }
}
