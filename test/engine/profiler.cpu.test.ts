// Times of passes from their timestamps.
import { expect, test } from "vitest";
import { durations } from "../../engine/gpu/profiler.ts";

const MS = 1_000_000;
const of = (...stamps: number[]) => durations(BigUint64Array.from(stamps, (stamp) => BigInt(stamp * MS)));

test("passes one after the other: from begin to end", () => {
  expect(of(10, 13, 14, 20)).toEqual([3, 6]);
});

test("a begin that is stamped while the passes before still run counts from their end", () => {
  // As Vulkan stamps them: all begin at once, and each ends after the one before.
  const times = of(10, 13, 10, 20, 11, 21.5);
  expect(times).toEqual([3, 7, 1.5]);
  expect(times.reduce((a, b) => a + b)).toBe(11.5);
});

test("rounded stamps give 0, and a clock that jumps backwards gives 0 once", () => {
  expect(of(10, 10, 10, 11, 11, 11)).toEqual([0, 1, 0]);
  expect(of(10, 12, 3, 4, 5, 7)).toEqual([2, 0, 2]);
});
