// Which figures count as changed, and in which direction they are worse.
import { describe, expect, test } from "vitest";
import { compare, hasRegression, renderComparison } from "../../bench/compare.ts";
import type { Report, Result } from "../../bench/result.ts";
import { report, result } from "./report.ts";

const of = (...results: Result[]): Report => ({ ...report, results });
const around = (median: number, given: Partial<Result> = {}): Result =>
  result({ ...given, median, min: 0.99 * median, max: 1.01 * median });

describe("a figure moved", () => {
  test("by more than the threshold", () => {
    expect(compare(of(around(100)), of(around(90)), 0.05).changes).toMatchObject([
      { change: expect.closeTo(-0.1), better: false },
    ]);
    expect(compare(of(around(100)), of(around(96)), 0.05).changes).toEqual([]);
    expect(compare(of(around(100)), of(around(96)), 0.03).changes).toHaveLength(1);
    expect(compare(of(around(100)), of(around(100)), 0).changes).toEqual([]);
  });

  test("only where its runs do not overlap", () => {
    const noisy = { ...around(100), min: 85 };
    expect(compare(of(noisy), of(around(85)), 0.05).changes).toEqual([]);
    expect(compare(of(noisy), of(around(80)), 0.05).changes).toHaveLength(1);
  });

  test.each([
    ["tokens/s", 1],
    ["GB/s", 1],
    ["of the limit", 1],
    ["ms", -1],
    ["bytes", -1],
    ["count", -1],
    ["perplexity", -1],
  ] as const)("%s: more is better %d", (unit, sign) => {
    for (const to of [50, 200]) {
      const comparison = compare(of(around(100, { unit })), of(around(to, { unit })), 0.05);
      expect(comparison.changes[0]?.better).toBe((to - 100) * sign > 0);
      expect(hasRegression(comparison)).toBe((to - 100) * sign < 0);
    }
  });

  test("from nothing to something", () => {
    const zero = result({ name: "allocationsPerToken", unit: "count", median: 0, min: 0, max: 0, runs: 1 });
    const comparison = compare(of(zero), of({ ...zero, median: 2, min: 2, max: 2 }), 0.05);
    expect(hasRegression(comparison)).toBe(true);
    expect(renderComparison(comparison, 0.05)).toMatch(/WORSE +decode +0 +allocations +0 +2 +from 0/);
    expect(compare(of(zero), of(zero), 0).changes).toEqual([]);
  });
});

test("figures meet by suite, name and setting, whatever the order of its parts", () => {
  const a = around(100, { params: { window: "none", position: 3 } });
  const b = around(50, { params: { position: 3, window: "none" } });
  const other = around(50, { params: { position: 4, window: "none" } });
  expect(compare(of(a), of(b, other), 0.05)).toMatchObject({ common: 1, onlyBefore: 0, onlyAfter: 1 });
});

test("the adapter's limit and a kernel's share of its pass cannot get worse", () => {
  for (const name of ["limitTokensPerSecond", "shareOfPass"])
    expect(compare(of(around(100, { name })), of(around(10, { name })), 0.05).common).toBe(0);
});

test("the worst comes first, and other adapters are told", () => {
  const before = of(...[1, 2, 3].map((context) => around(100, { params: { context } })));
  const now = [200, 20, 80].map((median, i) => around(median, { params: { context: i + 1 } }));
  const after = { ...of(...now), adapter: { ...report.adapter, name: "Other GPU" } };
  const comparison = compare(before, after, 0.05);
  expect(comparison.changes.map(({ after }) => after.median)).toEqual([20, 80, 200]);
  expect(renderComparison(comparison, 0.05)).toBe(`differs: adapter: Paper GPU -> Other GPU
        suite   setting  figure     before     after    change
WORSE   decode        2  tokens/s  100 ±1%  20.0 ±1%   -80.0 %
WORSE   decode        3  tokens/s  100 ±1%  80.0 ±1%   -20.0 %
better  decode        1  tokens/s  100 ±1%   200 ±1%  +100.0 %
3 of 3 figures changed by more than 5 % and beyond their runs
`);
});
