// Ctrl-C: the first stops the current work, a second one quits.

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

  /** Stops the current work without counting as a Ctrl-C. */
  stop(): void {
    this.#controller.abort();
  }

  /** Begins a new turn of a chat: the next Ctrl-C counts as the first. */
  renew(): void {
    this.#presses = 0;
    if (this.#controller.signal.aborted) this.#controller = new AbortController();
  }
}
