/**
 * Wakes those who wait. An `open` that nobody waits for is not remembered: call `next` before checking what
 * to wait for.
 */
export class Gate {
  #open = () => {};
  #next = this.#renewed();

  /** Resolves at the next `open`. */
  next(): Promise<void> {
    return this.#next;
  }

  open(): void {
    const open = this.#open;
    this.#next = this.#renewed();
    open();
  }

  #renewed(): Promise<void> {
    return new Promise((resolve) => {
      this.#open = resolve;
    });
  }
}
