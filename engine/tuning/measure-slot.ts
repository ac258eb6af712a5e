// Measures the variants of one slot with every number of rows, as far as the time suffices.
import type { TuningMeasurement } from "../api.ts";
import type { Slot } from "./slots.ts";
import type { VariantBench } from "./variant-bench.ts";

export interface Limits {
  /** Variants that take at most this many times as long as the best are measured with more rows. */
  readonly contenders: number;
  /** Compiles the variants of a slot side by side. */
  readonly compileAhead: boolean;
  /** Milliseconds that are left: once there are none, nothing is compiled or measured any more. */
  left(): number;
  /** Called before a variant is measured. */
  note(variant: string): void;
}

/** Microseconds of a launch, by variant and number of rows. */
type Times = Map<string, Map<number, number>>;

/** @returns what was measured, and the variant to take, if one is better founded than the unmeasured one */
export async function measureSlot(
  bench: Pick<VariantBench, "rowCounts" | "rejections" | "compile" | "measure">,
  { pass, variants }: Pick<Slot, "pass" | "variants">,
  { contenders, compileAhead, left, note }: Limits,
): Promise<{ measurements: Omit<TuningMeasurement, "role">[]; best: string | undefined }> {
  const { rowCounts, rejections } = bench;
  const times: Times = new Map(variants.map((variant) => [variant, new Map()]));
  for (const [i, rows] of rowCounts.entries()) {
    const measured = i === 0 ? variants : fastest(times, rowCounts.slice(0, i), rejections, contenders);
    if (left() <= 0) break;
    if (compileAhead) await bench.compile(measured, rows);
    for (const variant of measured) {
      if (left() <= 0) break;
      note(variant);
      times.get(variant)!.set(rows, await bench.measure(variant, rows));
    }
  }
  const measurements = [...times].flatMap(([variant, all]) =>
    [...all].map(([rows, microseconds]) => {
      const rejected = rejections.get(variant);
      if (rejected === undefined) return { pass, variant, rows, microseconds };
      return { pass, variant, rows, microseconds: Infinity, rejected };
    }),
  );
  return { measurements, best: choose(times, rowCounts, rejections, variants[0]!) };
}

/**
 * Of the variants that were measured with each of these numbers of rows, those that take at most `most` times
 * as long as the fastest, the fastest first.
 */
function fastest(
  times: Times,
  rowCounts: readonly number[],
  rejections: ReadonlyMap<string, string>,
  most: number,
): string[] {
  const means = [...times]
    .filter(([variant, all]) => !rejections.has(variant) && rowCounts.every((rows) => all.has(rows)))
    .map(([variant, all]) => ({ variant, mean: geometricMean(rowCounts.map((rows) => all.get(rows)!)) }))
    .sort((a, b) => a.mean - b.mean);
  return means.filter(({ mean }) => mean <= most * means[0]!.mean).map(({ variant }) => variant);
}

/**
 * The fastest of the variants that were measured with every number of rows. If there is none, and
 * `unmeasured` turned out to be wrong, the fastest of those that were measured with the most.
 */
function choose(
  times: Times,
  rowCounts: readonly number[],
  rejections: ReadonlyMap<string, string>,
  unmeasured: string,
): string | undefined {
  const fewest = rejections.has(unmeasured) ? 1 : rowCounts.length;
  for (let count = rowCounts.length; count >= fewest; count--) {
    const [best] = fastest(times, rowCounts.slice(0, count), rejections, 1);
    if (best !== undefined) return best;
  }
  return undefined;
}

const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
