// quantise.wgsl in plain TypeScript. All numbers are integers below 2^53, so both give the same words.
import { f16Bits, fixedPoint, roundF16 } from "./fixed-point.ts";
import { GROUP } from "./table.ts";

/** Above it, scales overflow f16. */
const LARGEST_EXPONENT = 144;

/** Codes are -codes … codes - 1. The search tries scales max |x| / d for d = first, first + step, … last. */
export interface ScaleSearch {
  readonly codes: number;
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

export const scaleSearches = {
  q8: { codes: 128, first: 120, last: 128, step: 0.5 },
  q4: { codes: 8, first: 6, last: 9, step: 0.25 },
} as const satisfies Readonly<Record<string, ScaleSearch>>;

interface Fit {
  readonly scale: number;
  /** sum(x²) - sum((x - scale·q)²): the squared error that this scale saves, compared with all zeros. */
  readonly saved: number;
  readonly xq: number;
  readonly qq: number;
}

const ALL_ZEROS: Fit = { scale: 0, saved: 0, xq: 0, qq: 0 };

/**
 * The codes and f16 scale of least squared error, for a group of f32 bit patterns. Values beyond ±2^18 are
 * clamped; NaN and infinities count as 0.
 */
export function quantise(bits: Uint32Array, search: ScaleSearch): { q: number[]; scale: number } {
  const { exponent, x } = fixedPoint(bits, LARGEST_EXPONENT);
  const largest = Math.max(...x.map(Math.abs));
  const steps = 1 / search.step;
  let best = ALL_ZEROS;
  const attempt = (scale: number) => {
    const next = measure(x, scale, search.codes);
    if (next.saved > best.saved) best = next;
  };
  for (let divisor = search.first * steps; divisor <= search.last * steps; divisor++) {
    const scale = roundScale(largest * steps, divisor, exponent);
    attempt(scale);
    attempt(-scale);
  }
  for (let refinement = 0; refinement < 2 && best.qq > 0; refinement++) {
    attempt(Math.sign(best.scale) * roundScale(Math.abs(best.xq), best.qq, exponent));
  }
  const { scale } = best;
  return {
    q: x.map((value) => code(value, scale, search.codes)),
    scale: f16Bits(scale, exponent),
  };
}

/** numerator / denominator, as f16 can hold it. */
const roundScale = (numerator: number, denominator: number, exponent: number): number =>
  roundF16(Math.floor((numerator + Math.floor(denominator / 2)) / denominator), exponent);

function measure(x: readonly number[], scale: number, codes: number): Fit {
  if (scale === 0) return ALL_ZEROS;
  let xq = 0;
  let qq = 0;
  for (let i = 0; i < GROUP; i++) {
    const q = code(x[i]!, scale, codes);
    xq += x[i]! * q;
    qq += q * q;
  }
  return { scale, saved: scale * (2 * xq - scale * qq), xq, qq };
}

/** x / scale to the nearest code, ties away from zero. */
function code(x: number, scale: number, codes: number): number {
  if (scale === 0) return 0;
  const magnitude = Math.floor((2 * Math.abs(x) + Math.abs(scale)) / (2 * Math.abs(scale)));
  return x < 0 === scale < 0 ? Math.min(magnitude, codes - 1) : -Math.min(magnitude, codes);
}
