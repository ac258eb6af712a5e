// Ctrl-C: the first one stops the work at hand, a second one quits.

export class Interrupts {
  /** Resolves at the second Ctrl-C in a row. */
  readonly quit: Promise<void>;
  #resolveQuit: () => void = () => {};
  #presses = 0;
  #controller = new AbortController();

  constructor() {
    this.quit = new Promise((resolve) => {
      this.#resolveQuit = resolve;
    });
  }

  /** Aborted by the first Ctrl-C since the last `renew()`. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get quitting(): boolean {
    return this.#presses >= 2;
  }

  press(): void {
    this.#presses++;
    this.#controller.abort();
    if (this.quitting) this.#resolveQuit();
  }

  /** Stops the work at hand without counting as a Ctrl-C: nobody reads the answer any more. */
  stop(): void {
    this.#controller.abort();
  }

  /** A new turn of a chat: the next Ctrl-C is the first again. */
  renew(): void {
    this.#presses = 0;
    if (this.#controller.signal.aborted) this.#controller = new AbortController();
  }
}
