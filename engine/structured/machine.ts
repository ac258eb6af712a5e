// A language of UTF-8 texts as a machine that reads bytes. States are values: a reader may keep as many as it
// likes, and go on from each.

export interface Machine<State = unknown> {
  readonly initial: State;
  /** The state after one more byte. It may be one from which no text of the language is reached. */
  transition(state: State, byte: number): State;
  /** Whether some text of the language may go on from here. */
  viable(state: State): boolean;
  /** Whether the text so far is in the language. */
  accepting(state: State): boolean;
  /** Inside a string of any content: how many characters it has room for. Elsewhere undefined. */
  stringCapacity?(state: State): number | undefined;
  /** Equal for states that allow the same bytes for ever. undefined: unknown. */
  maskKey?(state: State): string | undefined;
}

/** The texts of a list, one machine for all: a tree of their bytes. */
export function choiceMachine(choices: readonly string[]): Machine<number> {
  const next: Map<number, number>[] = [new Map()];
  const ends = new Set<number>();
  const encoder = new TextEncoder();
  for (const choice of choices) {
    let at = 0;
    for (const byte of encoder.encode(choice)) {
      let to = next[at]!.get(byte);
      if (to === undefined) {
        to = next.push(new Map()) - 1;
        next[at]!.set(byte, to);
      }
      at = to;
    }
    ends.add(at);
  }
  return {
    initial: 0,
    transition: (state, byte) => next[state]?.get(byte) ?? -1,
    viable: (state) => state >= 0,
    accepting: (state) => ends.has(state),
    maskKey: String,
  };
}
