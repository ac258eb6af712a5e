// Sixteen-bit floats as bit patterns: f16 (IEEE 754 binary16) and bf16 (the upper half of an f32).

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

export function f32ToBits(value: number): number {
  float[0] = value;
  return bits[0]!;
}

export function bitsToF32(pattern: number): number {
  bits[0] = pattern;
  return float[0]!;
}

/** The exact value of an f16 bit pattern. */
export function f16ToNumber(pattern: number): number {
  const magnitude = pattern & 0x7fff;
  const sign = pattern & 0x8000 ? -1 : 1;
  if (magnitude >= 0x7c00) return magnitude > 0x7c00 ? Number.NaN : sign * Infinity;
  return sign * (magnitude < 0x400 ? magnitude * 2 ** -24 : bitsToF32((magnitude << 13) + (112 << 23)));
}

/** The f32 bit pattern of an f16 bit pattern. Keeps the payload of a NaN, which a number does not. */
export function f16ToF32Bits(pattern: number): number {
  const fraction = pattern & 0x3ff;
  const isNan = (pattern & 0x7c00) === 0x7c00 && fraction > 0;
  return isNan ? ((pattern & 0x8000) << 16) | 0x7f800000 | (fraction << 13) : f32ToBits(f16ToNumber(pattern));
}

/**
 * The f16 nearest to the f32 of these bits, ties to even. Finite values saturate at ±65504; infinities and
 * NaN stay.
 */
export function f32BitsToF16(pattern: number): number {
  const sign = (pattern >>> 16) & 0x8000;
  const exponent = (pattern >>> 23) & 0xff;
  const fraction = pattern & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (fraction >> 13 || (fraction ? 0x200 : 0));
  const magnitude = pattern & 0x7fffffff;
  if (exponent > 112) return sign | Math.min(roundedShift(magnitude - 0x38000000, 13), 0x7bff);
  return sign | (exponent > 101 ? roundedShift(fraction | 0x800000, 126 - exponent) : 0); // subnormal in f16
}

export const numberToF16 = (value: number): number => f32BitsToF16(f32ToBits(value));

/** The exact value of a bf16 bit pattern. */
export const bf16ToNumber = (pattern: number): number => bitsToF32(pattern << 16);

/** The bf16 nearest to the f32 of these bits, ties to even. NaN stays NaN. */
export function f32BitsToBf16(pattern: number): number {
  if ((pattern & 0x7fffffff) <= 0x7f800000) return roundedShift(pattern, 16);
  const upper = pattern >>> 16; // of a NaN
  return upper & 0x7f ? upper : upper | 0x40;
}

export const numberToBf16 = (value: number): number => f32BitsToBf16(f32ToBits(value));

/** value / 2^shift to the nearest integer, ties to even: half a unit is added, less for an even one. */
const roundedShift = (value: number, shift: number): number =>
  (value + (1 << (shift - 1)) - 1 + ((value >>> shift) & 1)) >>> shift;
