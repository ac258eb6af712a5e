// Compares two reports: which figures changed by more than the noise, for better or worse.
import { formatFigure, heading } from "./format.ts";
import { betterWhen, type Report, type Result, resultKey } from "./result.ts";
import { alignColumns } from "./table.ts";

export interface Change {
  readonly before: Result;
  readonly after: Result;
  /** after / before − 1, of the medians. */
  readonly change: number;
  readonly better: boolean;
}

export interface Comparison {
  /** Figures that changed by more than the threshold, with runs that do not overlap; the worst first. */
  readonly changes: readonly Change[];
  /** Number of figures that both reports have. */
  readonly common: number;
  readonly onlyBefore: number;
  readonly onlyAfter: number;
  /** Differences in adapter, model and options. */
  readonly differences: readonly string[];
}

/** A limit is the adapter's; a share of a pass depends on the other kernels. Neither can get worse. */
const NOT_COMPARED = new Set(["limitTokensPerSecond", "overLlama", "answersThatFit", "shareOfPass"]);

/** @param threshold smallest change that counts, as a fraction */
export function compare(before: Report, after: Report, threshold: number): Comparison {
  const index = ({ results }: Report) =>
    new Map(
      results.filter(({ name }) => !NOT_COMPARED.has(name)).map((result) => [resultKey(result), result]),
    );
  const [old, now] = [index(before), index(after)];
  const pairs = [...old].flatMap(([key, result]) => {
    const other = now.get(key);
    return other ? [[result, other] as const] : [];
  });
  const changes = pairs
    .filter(([a, b]) => apart(a, b) && Math.abs(ratio(a, b)) > threshold)
    .map(([a, b]): Change => {
      const change = ratio(a, b);
      return { before: a, after: b, change, better: change * betterWhen(a.unit) > 0 };
    })
    .sort((a, b) => badness(b) - badness(a));
  return {
    changes,
    common: pairs.length,
    onlyBefore: old.size - pairs.length,
    onlyAfter: now.size - pairs.length,
    differences: differences(before, after),
  };
}

/** Whether the ranges of the runs do not overlap. */
const apart = (a: Result, b: Result): boolean => a.max < b.min || b.max < a.min;

function ratio({ median: before }: Result, { median: after }: Result): number {
  if (before === after) return 0;
  return before === 0 ? Infinity : after / before - 1;
}

const badness = ({ change, better }: Change): number => (better ? -1 : 1) * Math.abs(change);

function differences(before: Report, after: Report): string[] {
  const facts = (report: Report): [name: string, value: string][] =>
    report.server
      ? [
          ["server", `${report.server.url}${report.server.endpoint}`],
          ["model", report.server.model],
        ]
      : [
          ["adapter", report.adapter.name],
          ["driver", report.adapter.driver],
          ["model", report.model.source],
          ["weights", report.weights],
          ["cache", report.cache],
          ["kernels", report.options.kernels],
          ["unsafeFast", String(report.options.unsafeFast)],
        ];
  const then = new Map(facts(before));
  return facts(after)
    .filter(([name, value]) => then.get(name) !== value)
    .map(([name, value]) => `${name}: ${then.get(name) ?? "none"} -> ${value}`);
}

export const hasRegression = ({ changes }: Comparison): boolean => changes.some(({ better }) => !better);

export function renderComparison(comparison: Comparison, threshold: number): string {
  const { changes, common, onlyBefore, onlyAfter, differences: others } = comparison;
  const rows = changes.map(({ before, after, change, better }) => [
    better ? "better" : "WORSE",
    before.suite,
    Object.values(before.params).join(" ").trim(),
    heading(before.name),
    formatFigure(before),
    formatFigure(after),
    Number.isFinite(change) ? `${change > 0 ? "+" : ""}${(100 * change).toFixed(1)} %` : "from 0",
  ]);
  const lines = [
    ...others.map((difference) => `differs: ${difference}`),
    ...(rows.length > 0
      ? alignColumns([["", "suite", "setting", "figure", "before", "after", "change"], ...rows])
      : []),
    `${changes.length} of ${common} figures changed by more than ${+(100 * threshold).toFixed(3)} % and beyond their runs` +
      (onlyBefore + onlyAfter > 0 ? `; ${onlyBefore} only before, ${onlyAfter} only after` : ""),
  ];
  return `${lines.join("\n")}\n`;
}
