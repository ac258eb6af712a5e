// quantise-super.wgsl in plain TypeScript. All numbers are integers below 2^53, so both give the same words.
import { f16Bits, fixedPoint, roundF16, SMALLEST_EXPONENT } from "./fixed-point.ts";
import { code, measure, type Pair, searchPair } from "./quantise-pair.ts";
import type { SuperSteps } from "./super-words.ts";
import { GROUP } from "./table.ts";

/** Above it, offsets overflow f16. */
const LARGEST_EXPONENT = 142;
/** Scales and minima are 0 … 63. */
const SIX_BITS = 63;
/** d and dmin are in units of 2^-6 of those of the group: they are 63 times smaller than what they scale. */
const FINER = 6;

interface SuperGroup extends SuperSteps {
  /** One for each weight. */
  readonly codes: readonly number[];
}

/**
 * Quantises up to 256 f32 bit patterns: the pair of least squared error for each sub-group of 32 weights,
 * then super-scales that reach the largest, then for each sub-group the scale and minimum of least error
 * beside the nearest. Values beyond ±65504 are clamped; NaN and infinities count as 0.
 */
export function quantiseSuper(bits: Uint32Array): SuperGroup {
  const { exponent, x } = fixedPoint(bits, LARGEST_EXPONENT, SMALLEST_EXPONENT + FINER);
  const groups = Array.from({ length: Math.ceil(x.length / GROUP) }, (_, j) =>
    x.slice(GROUP * j, GROUP * (j + 1)),
  );
  const pairs = groups.map((group) => searchPair(group, exponent, 0));
  const superScale = (values: readonly number[]): number =>
    roundF16(Math.floor(((Math.max(...values) << FINER) + (SIX_BITS >> 1)) / SIX_BITS), exponent - FINER);
  const d = superScale(pairs.map(({ a }) => a));
  const dmin = superScale(pairs.map(({ b }) => -b));
  const rounded = groups.map((group, j) => roundPair(group, pairs[j]!, d, dmin));
  return {
    d: f16Bits(d, exponent - FINER),
    dmin: f16Bits(dmin, exponent - FINER),
    scales: rounded.map(({ scale }) => scale),
    minima: rounded.map(({ minimum }) => minimum),
    codes: rounded.flatMap(({ codes }) => codes),
  };
}

/** Of the nine neighbours of a pair over super-scales, the one of least squared error, and its codes. */
function roundPair(x: readonly number[], { a, b }: Pair, d: number, dmin: number) {
  const [nearestScale, nearestMinimum] = [nearest(a, d), nearest(-b, dmin)];
  let best = { error: Infinity, scale: 0, minimum: 0, pair: { a: 0, b: 0 } };
  for (let neighbour = 0; neighbour < 9; neighbour++) {
    const scale = within(nearestScale + Math.floor(neighbour / 3) - 1);
    const minimum = within(nearestMinimum + (neighbour % 3) - 1);
    const pair = { a: coarser(d * scale), b: -coarser(dmin * minimum) };
    const { error } = measure(x, pair, 0);
    if (error < best.error) best = { error, scale, minimum, pair };
  }
  return { ...best, codes: x.map((value) => code(value, best.pair)) };
}

/** value / step to the nearest, at most 63. */
const nearest = (value: number, step: number): number =>
  step === 0 ? 0 : within(Math.floor(((value << FINER) + (step >> 1)) / step));

const within = (value: number): number => Math.min(Math.max(value, 0), SIX_BITS);

/** Finer units to units, to nearest. */
const coarser = (value: number): number => (value + (1 << (FINER - 1))) >> FINER;
