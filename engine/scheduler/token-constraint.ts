// What a sequence may say next, token by token. A grammar is one such constraint.

/** Decides which tokens may follow. One constraint belongs to one sequence. */
export interface TokenConstraint {
  /**
   * The tokens allowed next: bit i % 32 of word floor(i / 32) allows token i. `ceil(V / 32)` words, at least
   * one bit set. Called before each step, after `accept` of every token before it.
   */
  mask(): Uint32Array<ArrayBuffer>;
  /** Set when nothing can follow the tokens so far: no further mask is asked for. Default: never. */
  readonly complete?: boolean;
  /**
   * The tokens that must follow now, one after the other. Called after `accept`, before `mask`. They are
   * taken without a step each, and accepted in order, or not: then nothing has changed, and a mask is asked
   * for. The end of an answer is not among them. Default: none.
   */
  forced?(): readonly number[];
  /** The token that was picked: one that the last mask allowed, or one of `forced`. */
  accept(id: number): void;
}
