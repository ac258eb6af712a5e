// A multiple-choice question as the model reads it.

export interface Choice {
  /** What comes before the continuation. The same for all choices of most formats. */
  readonly context: string;
  /** What is scored, with the blank that separates it from the context. */
  readonly continuation: string;
  /** The answer as the file writes it: its length normalises the score. */
  readonly text: string;
}

export interface Question {
  readonly choices: readonly Choice[];
  /** Index of the right one. */
  readonly answer: number;
  /** A line about the subject, before all examples. Default: none. */
  readonly lead?: string;
}
