// Runs one request at a time and keeps only the newest waiting one, as the model runs one call at a time.

export class Latest {
  #running = false;
  #next: (() => Promise<void>) | undefined;

  run(work: () => Promise<void>): void {
    this.#next = work;
    if (!this.#running) void this.#drain();
  }

  /** Whether a newer request has replaced the running one, so that its result is not needed. */
  get overtaken(): boolean {
    return this.#next !== undefined;
  }

  /** Drops the waiting request. */
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
