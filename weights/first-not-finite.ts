// Infinity and NaN among the floats of a checkpoint. A single one can make every logit NaN, and then every
// answer is token 0.

/** The bits of the exponents in a word. `scales` are f16, as are pairs. */
const EXPONENTS: Readonly<Record<string, number>> = {
  F32: 0x7f800000,
  BF16: 0x7f807f80,
  F16: 0x7c007c00,
  scales: 0x7c007c00,
  superScales: 0x7c007c00,
};

/** The first word of a super-group has its f16; the three that follow are integers. */
const wordsPerFloats = (encoding: string): number => (encoding === "superScales" ? 4 : 1);

/**
 * The index of the first word that has a float that is not finite, -1 if there is none. Other encodings are
 * not looked at. Reads a GB or two a second.
 */
export function firstNotFinite(encoding: string, bytes: Uint8Array<ArrayBuffer>): number {
  const exponents = EXPONENTS[encoding];
  if (!exponents) return -1;
  let whole = bytes;
  if ((bytes.byteOffset | bytes.length) % 4 > 0) {
    whole = new Uint8Array(4 * Math.ceil(bytes.length / 4));
    whole.set(bytes);
  }
  const words = new Uint32Array(whole.buffer, whole.byteOffset, whole.length / 4);
  // An exponent of ones carries into the bit of the sign.
  const lowest = exponents & ~(exponents << 1);
  const step = wordsPerFloats(encoding);
  for (let i = 0; i < words.length; i += step)
    if ((((words[i] as number) & exponents) + lowest) & 0x80008000) return i;
  return -1;
}
