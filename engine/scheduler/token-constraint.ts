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
  /** The token that was picked: one that the last mask allowed. */
  accept(id: number): void;
}
