/** What a super-group of q4k shares. Weights of sub-group j are d · scale[j] · code - dmin · minimum[j]. */
export interface SuperSteps {
  /** f16 bits. */
  readonly d: number;
  /** f16 bits. */
  readonly dmin: number;
  /** 0 … 63, one for each sub-group: at most eight. */
  readonly scales: readonly number[];
  /** 0 … 63, as many. */
  readonly minima: readonly number[];
}

/**
 * The four u32 words of `scale`: d and dmin; for each sub-group a byte, the scale and above it the upper two
 * bits of the minimum; then the lower four bits of the minima.
 */
export function superWords({ d, dmin, scales, minima }: SuperSteps): number[] {
  const words = new Uint32Array([d | (dmin << 16), 0, 0, 0]);
  for (const [j, scale] of scales.entries()) {
    const minimum = minima[j]!;
    words[1 + (j >> 2)]! |= (scale | ((minimum >> 4) << 6)) << (8 * (j % 4));
    words[3]! |= (minimum & 15) << (4 * j);
  }
  return [...words];
}
