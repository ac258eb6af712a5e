// Text that a format leaves no choice about is taken as tokens at once.
import { expect, test } from "vitest";
import { constraintOf } from "../../../engine/structured/constraint.ts";
import type { AnswerFormat } from "../../../engine/types/format.ts";
import { END, tokenizer, V } from "./walk.ts";

const after = (format: AnswerFormat, begin: string) => {
  const constraint = constraintOf(format, { tokenizer, V, endIds: new Set([END]), continues: true })!;
  const text = tokenizer.stream({ continues: true });
  const ids = tokenizer.encode(`x${begin}`, { bos: false, suffix: false, special: false });
  // The first token would have another space before it.
  const own = ids.slice(ids.findIndex((id) => tokenizer.tokenText(id).endsWith("x")) + 1);
  for (const id of own) constraint.accept(id);
  return { constraint, read: (forced: readonly number[]) => forced.map((id) => text.push(id)).join("") };
};

test("the forced tokens spell the begin of what has to follow, and are allowed one by one", () => {
  const format = { type: "regex", pattern: '\\{"a_rather_long_name": (true|false)\\}' } as const;
  const { constraint, read } = after(format, "{");
  const forced = constraint.forced!();
  expect(forced.length).toBeGreaterThan(4);
  const rest = '"a_rather_long_name": ';
  expect(rest.startsWith(read(forced))).toBe(true);
  // All but the last token, which "true" might become part of.
  const whole = tokenizer.encode(`{${rest}`, { bos: false, suffix: false, special: false });
  expect(forced).toEqual(whole.slice(-forced.length - 1, -1));
  for (const id of forced) {
    expect((constraint.mask()[id >>> 5]! >>> (id & 31)) & 1).toBe(1);
    constraint.accept(id);
  }
  expect(constraint.forced!()).toEqual([]);
});

test("an end that has to follow is forced to its last token", () => {
  const { constraint, read } = after({ type: "choice", choices: ["no", "yes, and gladly"] }, "y");
  const forced = constraint.forced!();
  expect(read(forced)).toBe("es, and gladly");
  for (const id of forced) constraint.accept(id);
  expect(constraint.complete).toBe(true);
});

test("nothing is forced where two bytes may follow, or the text may end", () => {
  expect(after({ type: "regex", pattern: "ab?" }, "a").constraint.forced!()).toEqual([]);
  expect(after({ type: "json" }, "{").constraint.forced!()).toEqual([]);
});
