// The speed of an answer.

/** When a piece of an answer came, in milliseconds, and its number of tokens. */
export interface Arrival {
  readonly at: number;
  readonly tokens: number;
  /** The GPU was lost before it, and the model was loaded again. */
  readonly afterLoss?: boolean;
}

/** A gap of this many times the usual one, and of this many ms, counts as a sleep of the machine. */
const [SLEPT_TIMES, SLEPT_MS] = [20, 2000];

/** Tokens per second after the first piece, without sleeps of the machine and replacements of a lost GPU. */
export function speed(pieces: readonly Arrival[]): number | undefined {
  const gaps = pieces
    .slice(1)
    .map(({ at, tokens, afterLoss }, i) => ({ ms: at - (pieces[i]?.at ?? at), tokens, afterLoss }))
    .filter(({ afterLoss }) => !afterLoss);
  const usual = gaps.map(({ ms }) => ms).sort((a, b) => a - b)[gaps.length >> 1] ?? 0;
  const awake = gaps.filter(({ ms }) => ms <= Math.max(SLEPT_MS, SLEPT_TIMES * usual));
  const tokens = awake.reduce((sum, gap) => sum + gap.tokens, 0);
  const ms = awake.reduce((sum, gap) => sum + gap.ms, 0);
  return tokens > 0 && ms > 0 ? (1000 * tokens) / ms : undefined;
}

/** The pieces with this many tokens in all, each with as many as the others. */
export const spread = (pieces: readonly Arrival[], tokens: number): Arrival[] =>
  pieces.map((piece) => ({ ...piece, tokens: tokens / pieces.length }));
