// The keys by which filters sort, group and compare.
import { getItem } from "./access.ts";
import type { Run } from "./text.ts";
import { isTrue, Undefined, type Value } from "./values.ts";

/** Whether an argument is given: not left out, and not None. */
export const given = (value: Value | undefined): value is Value => value !== undefined && value !== null;

/** Returns a function that reads an attribute path such as "a.b.0" from an item. */
export function attributeOf(run: Run, attribute: Value, fallback?: Value): (item: Value) => Value {
  const parts: Value[] =
    typeof attribute === "string"
      ? attribute.split(".").map((part) => (/^\d+$/.test(part) ? Number(part) : part))
      : [attribute];
  return (item) => {
    let at = item;
    for (const part of parts) {
      run.meter.step();
      at = getItem(run, at, part);
      if (at instanceof Undefined && fallback !== undefined) at = fallback;
    }
    return at;
  };
}

/** Returns the key of an item: an attribute or the item, a text in lower case unless `caseSensitive`. */
export function keyOf(
  run: Run,
  attribute: Value | undefined,
  caseSensitive: Value | undefined,
): (item: Value) => Value {
  const fold = (value: Value): Value => {
    if (typeof value !== "string" || isTrue(caseSensitive ?? false)) return value;
    run.meter.build(value.length);
    return value.toLowerCase();
  };
  if (!given(attribute)) return fold;
  const read = attributeOf(run, attribute);
  return (item) => fold(read(item));
}

/** The key of the filter `sort`, which takes several attributes separated by commas. */
export function sortKey(
  run: Run,
  attribute: Value | undefined,
  caseSensitive: Value | undefined,
): (item: Value) => Value {
  const names: Value[] = typeof attribute === "string" ? attribute.split(",") : [attribute ?? null];
  const keys = names.map((name) => keyOf(run, name, caseSensitive));
  return (item) => keys.map((key) => key(item));
}
