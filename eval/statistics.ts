// Statistics of evaluations.

/** @throws RangeError if there are no values */
export function mean(values: ArrayLike<number>): number {
  if (values.length === 0) throw new RangeError("mean: expected at least one value, got none.");
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
}

/** Standard error of the mean of a sample: s / √n, s with n − 1 degrees of freedom. NaN for one value. */
export function standardError(values: readonly number[]): number {
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}

/** The percentile by nearest rank. @param share 0 to 1; 0.5 is the median */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError("percentile: expected at least one value, got none.");
  return value;
}
