const values = new Float64Array(2 ** 16).map((_, pattern) => {
  const exponent = (pattern >> 10) & 31;
  const fraction = pattern & 1023;
  const sign = pattern & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction > 0 ? Number.NaN : sign * Infinity;
  return sign * (exponent > 0 ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24);
});

/** The value of the f16 with these 16 bits. */
export const f16 = (bits: number): number => values[bits] ?? Number.NaN;
