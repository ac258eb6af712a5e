// What an answer sees of a conversation that is longer than the context.
import { expect, test } from "vitest";
import { moreLeftOut, promptRoom, turnsLeftOut } from "../../demo/trimming.ts";

/** Each turn has 10 tokens, the system prompt 5. */
const asked: number[] = [];
const trim = (turns: number, before: number, room: number) => {
  asked.length = 0;
  const questions = Array.from({ length: (turns + 1) >> 1 }, (_, i) => 2 * i);
  return turnsLeftOut(questions, before, room, async (leftOut) => {
    asked.push(leftOut);
    return 5 + 10 * (turns - leftOut);
  });
};

test("all that fits stays", async () => {
  expect(await trim(9, 4, 95)).toBe(0);
});

test("questions and answers leave together, down to three quarters of the room", async () => {
  expect(await trim(9, 0, 94)).toBe(4);
  expect(await trim(999, 0, 200)).toBe(986);
  expect(asked.length).toBeLessThan(14);
});

test("the beginning stays the same while it fits", async () => {
  expect(await trim(13, 4, 95)).toBe(4);
  expect(await trim(15, 4, 95)).toBe(10);
});

test("the last question stays; if it is too long, nothing is left out", async () => {
  expect(await trim(3, 0, 16)).toBe(2);
  expect(await trim(3, 0, 14)).toBe(0);
  expect(await trim(1, 0, 14)).toBe(0);
});

test("calls of tools and their results leave with their question", async () => {
  const questions = [0, 4, 6];
  const left = (room: number) => turnsLeftOut(questions, 0, room, async (leftOut) => 10 * (9 - leftOut));
  expect([await left(90), await left(70), await left(40)]).toEqual([0, 4, 6]);
});

test("for a server, half of the questions leave, until one is left", () => {
  expect([0, 4, 6].map((leftOut) => moreLeftOut([0, 4, 6], leftOut))).toEqual([4, 6, undefined]);
  expect(moreLeftOut([0, 2, 4, 6, 8, 10], 0)).toBe(6);
});

test("an answer finds room", () => {
  expect([promptRoom(4096, 512), promptRoom(256, 512)]).toEqual([3584, 192]);
});
