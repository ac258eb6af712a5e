// fixed-point.wgsl in plain TypeScript. All numbers are integers below 2^53, so both give the same words.
import { bitsToF32, numberToF16 } from "./half.ts";

/** A group of weights: integers x, |x| ≤ 2^18, in units of 2^-17 of the power of two below the largest. */
export interface FixedPoint {
  readonly exponent: number;
  readonly x: readonly number[];
}

/** Below it, the smallest f16 is coarser than any scale. */
export const SMALLEST_EXPONENT = 106;

/** f32 bit patterns as integers. NaN and infinities count as 0, values beyond ±2^18 units are clamped. */
export function fixedPoint(
  bits: Uint32Array,
  largestExponent: number,
  smallestExponent = SMALLEST_EXPONENT,
): FixedPoint {
  const exponentOf = (pattern: number) => (pattern >>> 23) & 255;
  const finite = Array.from(bits, (pattern) => (exponentOf(pattern) === 255 ? 0 : pattern));
  const exponent = Math.min(Math.max(smallestExponent, ...finite.map(exponentOf)), largestExponent);
  const unit = unitOf(exponent);
  const x = finite.map((pattern) => {
    const value = bitsToF32(pattern);
    const magnitude = Math.min(Math.round(Math.abs(value) / unit), LARGEST);
    return value < 0 ? -magnitude : magnitude;
  });
  return { exponent, x };
}

const LARGEST = 2 ** 18;
const unitOf = (exponent: number): number => 2 ** (exponent - 127 - 17);

/** A number of units rounded to the 11 bits of an f16 or to its smallest step, at most 65504. */
export function roundF16(units: number, exponent: number): number {
  const magnitude = Math.abs(units);
  const leading = 31 - Math.clz32(magnitude | 1);
  const step = 1 << Math.max(leading - 10, 120 - exponent, 0);
  const rounded = Math.floor((magnitude + Math.floor(step / 2)) / step) * step;
  return Math.sign(units) * Math.min(rounded, exponent > 141 ? 65504 * 2 ** (144 - exponent) : 65504 * 8);
}

/** A number of units that roundF16 gave, as f16 bits. Zero has no sign. */
export const f16Bits = (units: number, exponent: number): number => numberToF16(units * unitOf(exponent) + 0);
