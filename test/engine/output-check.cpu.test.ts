// Which outputs the tuner takes for right.
import { expect, test } from "vitest";
import { OutputCheck } from "../../engine/tuning/output-check.ts";

const [width, stride] = [5, 8];
const plain = (input: number, [row, column]: readonly [number, number]) => 100 * input + 10 * row + column;

function opened() {
  const check = new OutputCheck({
    ...{ width, stride, plain },
    sampled: (rows) => [
      [0, 0],
      [rows - 1, width - 1],
    ],
    rounds: (variant) => variant.startsWith("int8"),
  });
  /** Compares right outputs but for those that are given. */
  const compare = (variant: string, rows: number, input: number, faults: Record<string, number> = {}) => {
    const values = Float32Array.from({ length: rows * stride }, (_, i) => {
      const place = [Math.floor(i / stride), i % stride] as const;
      return i % stride < width ? (faults[String(place)] ?? plain(input, place)) : Number.NaN;
    });
    check.compare({ variant, rows, input, values });
    return [...check.rejections.keys()];
  };
  return { check, compare };
}

test("one wrong output in any row, for any number of rows or input, puts a variant out by name", () => {
  const { check, compare } = opened();
  for (const rows of [1, 8]) for (const input of [0, 1]) expect(compare("right", rows, input)).toEqual([]);
  expect(compare("a", 1, 0)).toEqual([]);
  expect(compare("a", 8, 0)).toEqual([]);
  expect(compare("a", 8, 1, { "7,3": 173.5 })).toEqual(["a"]);
  expect(check.rejections.get("a")).toBe(
    "gives 173.5 for output 3 of row 8 of 8, with outliers, where plain arithmetic gives 173",
  );
  expect(compare("b", 1, 0, { "0,1": 1.1 })).toEqual(["a", "b"]);
  expect(compare("right", 8, 1)).toEqual(["a", "b"]);
});

test("outputs that are infinite or not written are wrong, whether sampled or not, alone or beside others", () => {
  for (const place of ["0,0", "1,2"]) {
    for (const value of [Infinity, -Infinity, Number.NaN]) {
      const { compare } = opened();
      expect(compare("alone", 2, 0, { [place]: value }), `${place} ${value}`).toEqual(["alone"]);
      compare("right", 2, 0);
      expect(compare("second", 2, 0, { [place]: value })).toEqual(["alone", "second"]);
    }
  }
});

test("the first variant is out if it is wrong where another is right, and does not count as right from then on", () => {
  const { compare } = opened();
  expect(compare("first", 8, 0, { "3,2": 40 })).toEqual([]);
  expect(compare("second", 8, 0)).toEqual(["first"]);
  expect(compare("third", 8, 0, { "3,2": 40 })).toEqual(["first", "third"]);
  expect(compare("fourth", 8, 0)).toEqual(["first", "third"]);
});

test("a variant that rounds may be a little off, and is no measure for others", () => {
  const { compare } = opened();
  const off = { "0,3": 3.05 };
  expect(compare("int8", 1, 0, off)).toEqual([]);
  expect(compare("exact", 1, 0)).toEqual([]);
  expect(compare("int8", 1, 0, off)).toEqual([]);
  expect(compare("inexact", 1, 0, off)).toEqual(["inexact"]);
  expect(compare("int8_wrong", 1, 0, { "0,3": 3.5 })).toEqual(["inexact", "int8_wrong"]);
});
