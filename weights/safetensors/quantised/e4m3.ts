// FP8 numbers of four bits of exponent and three of mantissa, without infinities.

/** The number of each byte. 0x7f and 0xff are NaN. */
export const e4m3 = Float32Array.from({ length: 256 }, (_, byte) => {
  const sign = byte & 0x80 ? -1 : 1;
  const exponent = (byte >> 3) & 15;
  const fraction = byte & 7;
  if (exponent === 15 && fraction === 7) return Number.NaN;
  return sign * (exponent > 0 ? (8 + fraction) * 2 ** (exponent - 10) : fraction * 2 ** -9);
});
