// Filters of lists and other sequences.
import { compare, equal, sorted } from "./compare.ts";
import type { Filter } from "./filter.ts";
import { attributeOf, given, keyOf } from "./keys.ts";
import { fail } from "./meter.ts";
import type { Run } from "./text.ts";
import { asInt, Dict, iterate, orElse, Tuple, toList, Undefined, type Value } from "./values.ts";

export function* batch(run: Run, value: Value, size: Value, fill: Value | undefined): Generator<Value> {
  const max = asInt(size);
  let row: Value[] = [];
  for (const item of iterate(value)) {
    run.meter.step();
    if (row.length === max) {
      yield row;
      row = [];
    }
    row.push(item);
  }
  if (row.length === 0) return;
  if (given(fill) && row.length < max) {
    run.meter.step(max);
    row = [...row, ...Array.from({ length: max - row.length }, () => fill)];
  }
  yield row;
}

export function* slices(run: Run, value: Value, count: Value, fill: Value | undefined): Generator<Value> {
  const items = toList(run.meter, value);
  const parts = asInt(count);
  if (parts === 0) fail("integer division or modulo by zero");
  const [each, extra] = [Math.floor(items.length / parts), ((items.length % parts) + parts) % parts];
  let at = 0;
  for (let i = 0; i < parts; i++) {
    run.meter.step();
    const size = each + (i < extra ? 1 : 0);
    const part = items.slice(at, at + size);
    at += size;
    yield given(fill) && i >= extra ? [...part, fill] : part;
  }
}

export function groupBy(
  run: Run,
  value: Value,
  attribute: Value | undefined,
  fallback: Value | undefined,
  caseSensitive: Value | undefined,
): Value {
  const plain = attributeOf(run, attribute ?? null, given(fallback) ? fallback : undefined);
  const fold = keyOf(run, undefined, caseSensitive);
  const groups: { key: Value; shown: Value; items: Value[] }[] = [];
  const key = (item: Value): Value => fold(plain(item));
  for (const item of sorted(run.meter, toList(run.meter, value), key)) {
    const own = key(item);
    const last = groups.at(-1);
    if (last && equal(run.meter, last.key, own)) last.items.push(item);
    else groups.push({ key: own, shown: plain(item), items: [item] });
  }
  return groups.map(({ shown, items }) => new Tuple([shown, items], ["grouper", "list"]));
}

export function* unique(run: Run, value: Value, caseSensitive?: Value, attribute?: Value): Generator<Value> {
  const key = keyOf(run, attribute, caseSensitive);
  const seen = new Dict();
  for (const item of iterate(value)) {
    run.meter.step();
    const own = key(item);
    if (seen.get(own) !== undefined) continue;
    seen.set(own, true);
    yield item;
  }
}

export function extreme(sign: 1 | -1): Filter {
  return (run, value, caseSensitive, attribute) => {
    const key = keyOf(run, attribute, caseSensitive);
    let best: { item: Value; key: Value } | undefined;
    for (const item of iterate(value)) {
      const candidate = { item, key: key(item) };
      if (best === undefined) best = candidate;
      else if (
        sign > 0
          ? compare(run.meter, candidate.key, best.key, ">") > 0
          : compare(run.meter, candidate.key, best.key) < 0
      ) {
        best = candidate;
      }
    }
    return orElse(best?.item, () => new Undefined("No aggregated item, sequence was empty."));
  };
}

export function* filtered(run: Run, value: Value, keep: (item: Value) => boolean): Generator<Value> {
  for (const item of iterate(value)) {
    run.meter.step();
    if (keep(item)) yield item;
  }
}

export function* mapped(run: Run, value: Value, change: (item: Value) => Value): Generator<Value> {
  for (const item of iterate(value)) {
    run.meter.step();
    yield change(item);
  }
}
