// The tuner: which variants it measures with how many rows, which it chooses, and when its time is up.
import { afterEach, expect, test, vi } from "vitest";
import { countdown } from "../../engine/tuning/countdown.ts";
import { measureSlot } from "../../engine/tuning/measure-slot.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** Measures variants that take so many microseconds with 1, 2, 4 rows. Compiles and measurements count. */
async function measure(microseconds: Readonly<Record<string, readonly number[]>>, steps = 1000) {
  const done: string[] = [];
  const rowCounts = [1, 2, 4];
  const variants = Object.keys(microseconds);
  const rejections = new Map<string, string>();
  const bench = {
    rowCounts,
    rejections,
    async compile(some: readonly string[], rows: number) {
      done.push(`compile ${some} ${rows}`);
    },
    async measure(variant: string, rows: number) {
      done.push(`${variant} ${rows}`);
      const time = microseconds[variant]![rowCounts.indexOf(rows)]!;
      if (time === Infinity) rejections.set(variant, "wrong");
      return time;
    },
  };
  const left = () => steps - done.length;
  const limits = { contenders: 3, compileAhead: true, left, note: () => {} };
  return { done, ...(await measureSlot(bench, { pass: "decode", variants }, limits)) };
}

test("a variant that is too slow for 2 rows never returns with 4", async () => {
  // With 1 row it takes 3.1 times as long as the best. Three times the mean of the best over 1 and 2 is more.
  const { done, measurements, best } = await measure({ a: [10, 20, 40], b: [31, 1, 1], c: [20, 30, 50] });
  expect(done).toEqual([
    ...["compile a,b,c 1", "a 1", "b 1", "c 1"],
    ...["compile a,c 2", "a 2", "c 2"],
    ...["compile a,c 4", "a 4", "c 4"],
  ]);
  const rows = (variant: string) =>
    measurements.filter((each) => each.variant === variant).map((m) => m.rows);
  expect([rows("a"), rows("b"), rows("c")]).toEqual([[1, 2, 4], [1], [1, 2, 4]]);
  expect(best).toBe("a");
});

test("once the time is up nothing is compiled, and what was not measured with all rows is not chosen", async () => {
  const { done, best } = await measure({ a: [10, 10, 10], b: [5, 5, 5] }, 3);
  expect(done).toEqual(["compile a,b 1", "a 1", "b 1"]);
  expect(best).toBeUndefined();
  const wrong = await measure({ a: [Infinity], b: [9, 5, 5], c: [5, 20, 5] }, 7);
  expect(wrong.done.slice(4)).toEqual(["compile c,b 2", "c 2", "b 2"]);
  expect(wrong.best).toBe("b");
});

test("a sleep of the machine costs none of the time, once", () => {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const left = countdown(5000);
  const after = (ms: number) => {
    now += ms;
    return left();
  };
  expect(after(100)).toBe(4900);
  expect(after(3_600_000)).toBe(4900);
  expect(after(4000)).toBe(2400);
  expect(after(3_600_000)).toBe(-100);
});
