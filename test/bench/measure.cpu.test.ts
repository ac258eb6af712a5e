// Medians, and the number of runs.
import { describe, expect, test } from "vitest";
import { figure, repeat } from "../../bench/measure.ts";

test("figure: the middle one, or the mean of the middle two, whatever their order", () => {
  expect(figure([3, 1, 10])).toEqual({ median: 3, min: 1, max: 10, runs: 3 });
  expect(figure([4, 1, 10, 2])).toEqual({ median: 3, min: 1, max: 10, runs: 4 });
  expect(figure([7])).toEqual({ median: 7, min: 7, max: 7, runs: 1 });
  expect(() => figure([])).toThrow(RangeError);
});

describe("repeat", () => {
  const never = new AbortController().signal;
  /** Counts its calls; each takes a second. */
  const counting = () => {
    let clock = 0;
    let count = 0;
    const run = async () => {
      clock += 1000;
      return ++count;
    };
    return { run, now: () => clock };
  };

  test("does not count the warm-up", async () => {
    const { run, now } = counting();
    expect(await repeat({ runs: 3, seconds: 100 }, never, run, { now })).toEqual([2, 3, 4]);
  });

  test("begins no run after its seconds, but measures one", async () => {
    for (const [seconds, values] of [
      [0, [2]],
      [1.5, [2, 3]],
    ] as const) {
      const { run, now } = counting();
      expect(await repeat({ runs: 9, seconds }, never, run, { now })).toEqual(values);
    }
  });

  test("takes another warm-up", async () => {
    const { run, now } = counting();
    let warm = 0;
    const warmUp = async () => warm++;
    expect(await repeat({ runs: 2, seconds: 9 }, never, run, { warmUp, now })).toEqual([1, 2]);
    expect(warm).toBe(1);
  });

  test("keeps what was measured before an abort, and throws where nothing was", async () => {
    const controller = new AbortController();
    const { run, now } = counting();
    const aborting = async () => {
      const count = await run();
      if (count === 3) controller.abort();
      return count;
    };
    const budget = { runs: 9, seconds: 100 };
    expect(await repeat(budget, controller.signal, aborting, { now })).toEqual([2, 3]);
    await expect(repeat(budget, controller.signal, run)).rejects.toThrow(/abort/);
  });
});
