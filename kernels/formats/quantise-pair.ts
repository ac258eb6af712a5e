// quantise-pair.wgsl in plain TypeScript. All numbers are integers below 2^53, so both give the same words.
import { f16Bits, fixedPoint, roundF16 } from "./fixed-point.ts";

/** Above it, offsets overflow f16. */
const LARGEST_EXPONENT = 142;
const DIVISORS = [14, 15, 16, 17, 18, 19, 20];
const REFINEMENTS = 4;
const LARGEST_RESIDUAL = 65535;

/** A weight is a · code + b. Integers, in units of a fixed-point group. */
export interface Pair {
  readonly a: number;
  readonly b: number;
}

/** A pair, the sum of its squared errors, and sums over its codes; y = x - mean. */
interface Fit extends Pair {
  readonly error: number;
  readonly q: number;
  readonly qq: number;
  readonly yq: number;
}

/**
 * The codes 0 … 15 and the pair (a, b), as f16 bits, of least squared error, for a group of f32 bit patterns.
 * Values beyond ±65504 are clamped; NaN and infinities count as 0.
 */
export function quantisePair(bits: Uint32Array): { q: number[]; a: number; b: number } {
  const { exponent, x } = fixedPoint(bits, LARGEST_EXPONENT);
  const pair = searchPair(x, exponent);
  const { a, b } = pair;
  return { q: x.map((value) => code(value, pair)), a: f16Bits(a, exponent), b: f16Bits(b, exponent) };
}

/** The pair of least squared error for a group in units of an exponent. b is at most `highest`. */
export function searchPair(x: readonly number[], exponent: number, highest = Infinity): Pair {
  const n = x.length;
  const [low, high] = [Math.min(...x, highest), Math.max(...x)];
  const sum = x.reduce((total, value) => total + value, 0);
  const mean = Math.trunc(sum / n);

  const attempt = (a: number, b: number): Fit => measure(x, { a, b: Math.min(b, highest) }, mean);
  /** Measures the pair of least squared error for codes with these sums. */
  const closedForm = ({ q, qq, yq }: Fit): Fit => {
    const spread = n * qq - q * q;
    const product = Math.max(yq - Math.trunc((q * (sum % n)) / n), 0);
    const slope = spread > 0 ? Math.floor((product * n + Math.floor(spread / 2)) / spread) : 0;
    const a = roundF16(slope, exponent);
    return attempt(a, roundF16(mean + Math.trunc(((sum % n) - a * q) / n), exponent));
  };

  let best: Fit | undefined;
  const keep = (fit: Fit): Fit => {
    if (!best || fit.error < best.error) best = fit;
    return fit;
  };
  for (const divisor of DIVISORS) {
    const a = roundF16(Math.floor((high - low + (divisor >> 1)) / divisor), exponent);
    keep(closedForm(keep(attempt(a, roundF16(Math.trunc((low + high - 15 * a) / 2), exponent)))));
  }
  for (let refinement = 0; refinement < REFINEMENTS; refinement++) keep(closedForm(best!));
  return best!;
}

export function measure(x: readonly number[], pair: Pair, mean: number): Fit {
  let [error, q, qq, yq] = [0, 0, 0, 0];
  const { a, b } = pair;
  for (const value of x) {
    const each = code(value, pair);
    const residual = Math.min(Math.abs(value - b - a * each), LARGEST_RESIDUAL);
    error += residual * residual;
    q += each;
    qq += each * each;
    yq += (value - mean) * each;
  }
  return { a, b, error, q, qq, yq };
}

/** (x - b) / a to the nearest code, ties up. */
export const code = (x: number, { a, b }: Pair): number =>
  a === 0 ? 0 : Math.min(Math.max(Math.floor((2 * (x - b) + a) / (2 * a)), 0), 15);
