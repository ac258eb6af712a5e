// A barrier of threads in shared memory. A thread that waits looks for a moment, then sleeps.

/** Looks before a thread sleeps: about 20 µs. To be woken takes as long. */
const LOOKS = 1000;

const ARRIVED = 0;
const ROUND = 1;

/** Shared words of a barrier. */
export const BARRIER_BYTES = 8;

export class Barrier {
  readonly #words: Int32Array;
  readonly #threads: number;

  constructor(shared: SharedArrayBuffer, threads: number) {
    this.#words = new Int32Array(shared, 0, BARRIER_BYTES / 4);
    this.#threads = threads;
  }

  /** Returns when all threads have called it as often as this one. What they wrote before is visible then. */
  wait(): void {
    const round = Atomics.load(this.#words, ROUND);
    if (Atomics.add(this.#words, ARRIVED, 1) === this.#threads - 1) {
      Atomics.store(this.#words, ARRIVED, 0);
      Atomics.store(this.#words, ROUND, (round + 1) | 0);
      Atomics.notify(this.#words, ROUND);
      return;
    }
    for (let look = 0; look < LOOKS; look++) if (Atomics.load(this.#words, ROUND) !== round) return;
    while (Atomics.load(this.#words, ROUND) === round) Atomics.wait(this.#words, ROUND, round);
  }
}
