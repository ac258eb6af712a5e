// The type of a filter, and how arguments given by name are put in order.
import { fail } from "./meter.ts";
import type { Run } from "./text.ts";
import type { Keywords, Value } from "./values.ts";

export type Filter = (run: Run, value: Value, ...args: (Value | undefined)[]) => Value;

/** Puts arguments that were given by position or by name in the order of `names`. */
export function inOrder(
  callee: string,
  names: readonly string[],
  args: readonly Value[],
  keywords: Keywords,
): (Value | undefined)[] {
  if (args.length > names.length)
    fail(`${callee}() takes at most ${names.length} arguments, got ${args.length}`);
  for (const key of keywords.keys()) {
    if (names.indexOf(key) < args.length)
      fail(`${callee}() got an unexpected argument '${key.slice(0, 60)}'`);
  }
  return names.map((name, i) => (i < args.length ? args[i] : keywords.get(name)));
}
