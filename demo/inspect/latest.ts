// One request at a time, and of those that wait only the newest: the model answers one call after the other.

export class Latest {
  #running = false;
  #next: (() => Promise<void>) | undefined;

  run(work: () => Promise<void>): void {
    this.#next = work;
    if (!this.#running) void this.#drain();
  }

  /** Whether the work at hand has been overtaken, so that its result is of no use. */
  get overtaken(): boolean {
    return this.#next !== undefined;
  }

  /** What has not begun does not begin. */
  clear(): void {
    this.#next = undefined;
  }

  async #drain(): Promise<void> {
    this.#running = true;
    try {
      for (let work = this.#take(); work; work = this.#take()) await work();
    } finally {
      this.#running = false;
    }
  }

  #take(): (() => Promise<void>) | undefined {
    const work = this.#next;
    this.#next = undefined;
    return work;
  }
}
