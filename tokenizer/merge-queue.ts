/** A queue of possible merges: lowest rank first, then leftmost. A binary heap of rank · 2^32 + at. */
export class MergeQueue {
  #keys = new Float64Array(64);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Requires rank < 2 ** 21 and at < 2 ** 32. */
  push(rank: number, at: number): void {
    if (this.#size === this.#keys.length) {
      const wider = new Float64Array(this.#size * 2);
      wider.set(this.#keys);
      this.#keys = wider;
    }
    const keys = this.#keys;
    const key = rank * 2 ** 32 + at;
    let i = this.#size++;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if ((keys[parent] as number) <= key) break;
      keys[i] = keys[parent] as number;
      i = parent;
    }
    keys[i] = key;
  }

  /** Removes and returns the first entry. The queue must not be empty. */
  pop(): { readonly rank: number; readonly at: number } {
    const keys = this.#keys;
    const first = keys[0] as number;
    const last = keys[--this.#size] as number;
    let i = 0;
    for (let child = 1; child < this.#size; child = 2 * i + 1) {
      if (child + 1 < this.#size && (keys[child + 1] as number) < (keys[child] as number)) child++;
      if ((keys[child] as number) >= last) break;
      keys[i] = keys[child] as number;
      i = child;
    }
    keys[i] = last;
    const rank = Math.floor(first / 2 ** 32);
    return { rank, at: first - rank * 2 ** 32 };
  }
}
