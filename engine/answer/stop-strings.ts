// Finds stop strings in a stream of text pieces, also across pieces.

export class StopStrings {
  readonly #stops: readonly string[];
  #held = "";

  constructor(stop: string | readonly string[] | undefined) {
    this.#stops = typeof stop === "string" ? [stop] : (stop ?? []);
  }

  /**
   * @returns the text before a stop string, and whether there is one. Text that may begin a stop string is
   * held back.
   */
  push(piece: string): { readonly text: string; readonly stopped: boolean } {
    if (this.#stops.length === 0) return { text: piece, stopped: false };
    const text = this.#held + piece;
    const found = this.#stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
    if (found.length > 0) {
      this.#held = "";
      return { text: text.slice(0, Math.min(...found)), stopped: true };
    }
    const keep = Math.max(...this.#stops.map((stop) => overlap(text, stop)));
    this.#held = text.slice(text.length - keep);
    return { text: text.slice(0, text.length - keep), stopped: false };
  }

  /** At the end of the answer: the text held back, which is no stop string. */
  end(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }
}

/** Length of the longest suffix of `text` that is a proper prefix of `stop`. */
export function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
