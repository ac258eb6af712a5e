// Repeated runs after a warm-up, and statistics of their values.

export interface Budget {
  /** Maximum measured runs of a figure. */
  readonly runs: number;
  /** No further run begins after this many seconds. */
  readonly seconds: number;
}

export interface Figure {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
}

/** @throws RangeError if there are no values */
export function figure(values: readonly number[]): Figure {
  const sorted = values.toSorted((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (min === undefined || max === undefined)
    throw new RangeError("figure: expected at least one value, got none.");
  const half = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(half)] ?? min) + (sorted[Math.ceil(half)] ?? min)) / 2;
  return { median, min, max, runs: sorted.length };
}

/** A value that is the same in every run. */
export const exactly = (value: number): Figure => figure([value]);

/**
 * Calls `warmUp` (default: `run`) once, then `run` until the budget is used up, at least once.
 * @returns the values of the measured runs
 * @throws the signal's reason if it is aborted before a run was measured
 */
export async function repeat<T>(
  { runs, seconds }: Budget,
  signal: AbortSignal,
  run: () => Promise<T>,
  {
    warmUp = run,
    now = () => performance.now(),
  }: { readonly warmUp?: () => Promise<unknown>; readonly now?: () => number } = {},
): Promise<T[]> {
  signal.throwIfAborted();
  await warmUp();
  const began = now();
  const values: T[] = [];
  do {
    if (values.length > 0 && signal.aborted) break;
    signal.throwIfAborted();
    values.push(await run());
  } while (values.length < runs && now() - began < 1000 * seconds);
  return values;
}

/** Seconds that `run` takes. */
export async function timed(run: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await run();
  return (performance.now() - began) / 1000;
}
