// The panel's view of the ring, against a ring that is written slot by slot.
import { expect, test } from "vitest";
import { cells, type SlotState, slotState } from "../../demo/inspect/ring.ts";

/** The position in each slot after a number of tokens. */
function written(S: number, position: number): (number | undefined)[] {
  const slots: (number | undefined)[] = Array(S).fill(undefined);
  for (let p = 0; p < position; p++) slots[p % S] = p;
  return slots;
}

test.each([
  [7, 3],
  [7, 7],
  [5, 1],
  [6, null],
])("S = %i, W = %s: every slot at every length", (S, W) => {
  for (let position = 0; position <= (W === null ? S : 4 * S); position++) {
    const expected = written(S, position).map((held): SlotState => {
      if (held === undefined) return "empty";
      if (held === position - 1) return "newest";
      return held > position - 1 - (W ?? S) ? "visible" : "occupied";
    });
    const ring = { S, W, position };
    expect(
      Array.from({ length: S }, (_, slot) => slotState(slot, ring)),
      `${position}`,
    ).toEqual(expected);
    expect(cells(ring)).toEqual(expected);
  }
});

test("thousands of slots: each belongs to one cell, which shows the most important one", () => {
  const ring = { S: 4611, W: 4096, position: 6000 };
  const squares = cells(ring);
  expect(squares.length).toBe(512);
  expect(squares.filter((state) => state === "newest").length).toBe(1);
  expect(squares.indexOf("newest")).toBe(Math.floor((((6000 - 1) % 4611) * 512) / 4611));
  expect(squares).toContain("occupied");
  expect(squares).not.toContain("empty");
});
