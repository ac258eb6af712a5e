// How threads share out the items of a phase. Three quarters are portions of the same size, one for each:
// so a thread reads long stretches of memory. The rest is a pool: whoever is done takes from it, so that a
// thread on a slower core, or one that was woken late, keeps the others waiting less.

/** Of all items. */
const OWN = 3 / 4;
/** A taking from the pool is at least one of so many parts of a thread's share: each costs microseconds. */
const LEAST_PARTS = 16;

/** Shared words: how much of the pool is taken, in every second phase, and in those between. */
export const PORTIONS_BYTES = 8;

export class Portions {
  readonly #taken: Int32Array;
  readonly #index: number;
  readonly #threads: number;
  #phase = 0;

  /** @param offset of the words in `shared`, in bytes */
  constructor(shared: SharedArrayBuffer, offset: number, index: number, threads: number) {
    this.#taken = new Int32Array(shared, offset, 2);
    this.#index = index;
    this.#threads = threads;
  }

  /**
   * Calls `run` with ranges of items; all threads together run each item once. They call it for the same
   * phases in the same order, with a barrier after each. A thread that cannot do its part calls it with 0.
   * @param evenly without a pool. Default false
   */
  share(items: number, run: (first: number, end: number) => void, evenly = false): void {
    const word = this.#phase;
    this.#phase = 1 - word;
    // The phase before has ended, and the next has not begun.
    Atomics.store(this.#taken, this.#phase, 0);

    if (evenly) {
      const [first, end] = [0, 1].map((i) => Math.floor((items * (this.#index + i)) / this.#threads));
      if (first! < end!) run(first!, end!);
      return;
    }
    const own = Math.floor((items * OWN) / this.#threads);
    if (own > 0) run(own * this.#index, own * (this.#index + 1));
    const least = Math.ceil(items / (LEAST_PARTS * this.#threads));
    const pool = own * this.#threads;
    for (;;) {
      const taken = Atomics.load(this.#taken, word);
      const left = items - pool - taken;
      if (left <= 0) return;
      // Less and less, so that all are done at about the same time.
      const size = Math.min(left, Math.max(least, Math.ceil(left / (2 * this.#threads))));
      if (Atomics.compareExchange(this.#taken, word, taken, taken + size) === taken)
        run(pool + taken, pool + taken + size);
    }
  }
}
