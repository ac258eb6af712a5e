// Comparisons and sorting, as Python does them.
import { fail, type Meter, unsupported } from "./meter.ts";
import {
  Dict,
  isList,
  iterate,
  lengthOf,
  numeric,
  Range,
  Safe,
  Tuple,
  typeName,
  Undefined,
  type Value,
  View,
} from "./values.ts";

/** Python's == */
export function equal(meter: Meter, a: Value, b: Value): boolean {
  meter.step();
  if (typeof a === "string" && typeof b === "string") {
    if (a.length === b.length) meter.read(a.length);
    return a === b;
  }
  if (a instanceof Safe || b instanceof Safe) return unsupported("a comparison with a safe text");
  const [m, n] = [numeric(a), numeric(b)];
  if (m && n) return m.value === n.value;
  if (a === b) return true;
  if (a instanceof Undefined) return b instanceof Undefined;
  if (isList(a)) return isList(b) && allEqual(meter, a, b);
  if (a instanceof Tuple) return b instanceof Tuple && allEqual(meter, a.items, b.items);
  if (a instanceof Range) {
    if (!(b instanceof Range) || a.length !== b.length) return false;
    return a.length === 0 || (a.start === b.start && (a.length === 1 || a.step === b.step));
  }
  if (a instanceof View && b instanceof View) {
    return unsupported("a comparison of a dict's keys(), values() or items()");
  }
  if (!(a instanceof Dict && b instanceof Dict) || a.entries.size !== b.entries.size) return false;
  for (const [key, item] of a.entries.values()) {
    const other = b.get(key);
    if (other === undefined || !equal(meter, item, other)) return false;
  }
  return true;
}

function allEqual(meter: Meter, a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((item, i) => equal(meter, item, b[i] as Value));
}

/** Python's order of two values: negative, 0 or positive. NaN if there is no order, as with nan. */
export function compare(meter: Meter, a: Value, b: Value, operator = "<"): number {
  meter.step();
  const [m, n] = [numeric(a), numeric(b)];
  if (m && n) return m.value < n.value ? -1 : m.value > n.value ? 1 : m.value === n.value ? 0 : Number.NaN;
  if (typeof a === "string" && typeof b === "string") return compareTexts(meter, a, b);
  const [x, y] = a instanceof Tuple && b instanceof Tuple ? [a.items, b.items] : [a, b];
  if (isList(x) && isList(y)) {
    for (let i = 0; i < Math.min(x.length, y.length); i++) {
      const [u, v] = [x[i] as Value, y[i] as Value];
      if (!equal(meter, u, v)) return compare(meter, u, v, operator);
    }
    return x.length - y.length;
  }
  for (const side of [a, b]) if (side instanceof Undefined) fail(side.hint);
  for (const side of [a, b]) {
    if (side instanceof View || side instanceof Safe) unsupported(`the order of a ${typeName(side)}`);
  }
  return fail(`'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`);
}

/** Compares by code points: surrogate pairs are greater than every other character. */
function compareTexts(meter: Meter, a: string, b: string): number {
  meter.read(Math.min(a.length, b.length));
  if (a === b) return 0;
  let i = 0;
  while (i < a.length && i < b.length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  if (i >= a.length || i >= b.length) return a.length - b.length;
  const rank = (code: number): number => (code >= 0xd800 && code < 0xe000 ? code + 0x10000 : code);
  return rank(a.charCodeAt(i)) - rank(b.charCodeAt(i));
}

/** Python's `item in container` */
export function contains(meter: Meter, container: Value, item: Value): boolean {
  if (typeof container === "string") {
    if (item instanceof Safe) return unsupported("a search for a safe text");
    if (item instanceof Undefined) return fail(item.hint);
    if (typeof item !== "string") {
      return fail(`'in <string>' requires string as left operand, not ${typeName(item)}`);
    }
    meter.read(container.length);
    return container.includes(item);
  }
  if (container instanceof Safe) return unsupported("a search in a safe text");
  if (container instanceof Dict) return container.get(item) !== undefined;
  meter.read(lengthOf(container) ?? 0);
  for (const other of iterate(container)) if (equal(meter, other, item)) return true;
  return false;
}

/** Python's sorted(items, key=key, reverse=reverse): stable. */
export function sorted<T>(meter: Meter, items: readonly T[], key: (item: T) => Value, reverse = false): T[] {
  const keyed = items.map((item) => ({ item, key: key(item) }));
  if (reverse) keyed.reverse();
  meter.step(items.length);
  // Python's sort only uses <. So does this one, so that the same values raise the same errors.
  keyed.sort((a, b) => (compare(meter, a.key, b.key) < 0 ? -1 : compare(meter, b.key, a.key) < 0 ? 1 : 0));
  if (reverse) keyed.reverse();
  return keyed.map(({ item }) => item);
}
