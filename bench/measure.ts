// Repeated runs after a warm-up: the median, and how far apart the runs were.

export interface Budget {
  /** Most measured runs of a figure. */
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

/** @throws RangeError where there is no value */
export function figure(values: readonly number[]): Figure {
  const sorted = values.toSorted((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (min === undefined || max === undefined)
    throw new RangeError("figure: expected at least one value, got none.");
  const half = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(half)] ?? min) + (sorted[Math.ceil(half)] ?? min)) / 2;
  return { median, min, max, runs: sorted.length };
}

/** The value that the given share of all values does not exceed, by nearest rank: 0.5 the middle one. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError("percentile: expected at least one value, got none.");
  return value;
}

/** A count that comes out the same every time. */
export const exactly = (value: number): Figure => figure([value]);

/**
 * What `run` returns, once for each of its measured runs. A first run, or what is given in its place, warms up and does
 * not count. At least one run is measured, and more as long as the next one begins in time.
 * @throws the signal's reason where it is aborted before a run was measured
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
