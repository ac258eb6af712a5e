// The filters of jinja2, and `tojson` as transformers sets it.
import { ownAttribute } from "./access.ts";
import { compare, sorted } from "./compare.ts";
import { percentFormat } from "./format.ts";
import { attributeOf, given, keyOf, sortKey } from "./keys.ts";
import { batch, groupBy, slices, unique } from "./list-filters.ts";
import { fail, unsupported } from "./meter.ts";
import { method, replaceAll } from "./methods.ts";
import { toFloat, toInteger } from "./number-filters.ts";
import { roundHalfEven } from "./numbers.ts";
import { binary } from "./operators.ts";
import { capitalize, splitLines, strip, titleWords } from "./strings.ts";
import { applyTest } from "./tests.ts";
import { joined, json, type Run, text } from "./text.ts";
import {
  asInt,
  characters,
  Dict,
  Float,
  isTrue,
  iterate,
  type Keywords,
  lengthOf,
  numeric,
  orElse,
  Safe,
  Stream,
  Tuple,
  toList,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

type Filter = (run: Run, value: Value, ...args: (Value | undefined)[]) => Value;

/** Arguments by their names, in order; then what the filter does. */
type Entry = readonly [names: string, filter: Filter];

const noKeywords: Keywords = new Map();

export function applyFilter(
  run: Run,
  name: string,
  value: Value,
  args: readonly Value[] = [],
  keywords: Keywords = noKeywords,
): Value {
  run.meter.step();
  const spread = spreadFilters[name];
  if (spread) return spread(run, value, args, keywords);
  const [names, filter] = filters[name] ?? unsupported(`the filter "${name.slice(0, 60)}"`);
  return filter(run, value, ...inOrder(name, names === "" ? [] : names.split(" "), args, keywords));
}

export const hasFilter = (name: string): boolean =>
  Object.hasOwn(filters, name) || Object.hasOwn(spreadFilters, name);

/** Arguments in their places, whether given by place or by name. */
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

/** A text as filters take it: whatever it is, as text. */
function soft(run: Run, value: Value): string {
  if (value instanceof Safe) return unsupported("a filter on a safe text");
  const whole = text(run, value);
  run.meter.build(whole.length);
  return whole;
}

const onText =
  (change: (text: string) => string): Filter =>
  (run, value) =>
    change(soft(run, value));

/** Calls the text's method. */
const byMethod =
  (name: string): Filter =>
  (run, value, ...args) => {
    const bound = method(run, soft(run, value), name) as { call: NonNullable<Call> };
    return bound.call(
      args.filter((arg) => arg !== undefined),
      noKeywords,
    );
  };
type Call = (args: readonly Value[], keywords: Keywords) => Value;

function extreme(sign: 1 | -1): Filter {
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

function indent(run: Run, value: Value, width: Value = 4, first: Value = false, blank: Value = false): Value {
  const unit = typeof width === "string" ? width : binary(run, "*", " ", width);
  if (typeof value !== "string") fail(`indent: expected a text, got ${typeName(value)}`);
  const lines = splitLines(run.meter, `${soft(run, value)}\n`);
  const all = isTrue(blank);
  const indented = lines.map((line, i) => (i > 0 && (all || line !== "") ? `${unit}${line}` : line));
  return (isTrue(first) ? String(unit) : "") + joined(run, indented, "\n");
}

function truncate(
  run: Run,
  value: Value,
  length: Value = 255,
  killWords: Value = false,
  end: Value = "...",
  leeway?: Value,
): Value {
  if (value instanceof Undefined) return value;
  if (typeof value !== "string") return unsupported(`the filter truncate of a ${typeName(value)}`);
  const units = characters(run.meter, soft(run, value));
  const [most, mark] = [asInt(length), text(run, end)];
  const size = lengthOf(mark) ?? 0;
  const slack = given(leeway) ? asInt(leeway) : 5;
  if (most < size) fail(`expected length >= ${size}, got ${most}`);
  if (slack < 0) fail(`expected leeway >= 0, got ${slack}`);
  if (units.length <= most + slack) return units.join("");
  const cut = units.slice(0, most - size).join("");
  if (isTrue(killWords)) return cut + mark;
  const at = cut.lastIndexOf(" ");
  return (at < 0 ? cut : cut.slice(0, at)) + mark;
}

function* filtered(run: Run, value: Value, keep: (item: Value) => boolean): Generator<Value> {
  for (const item of iterate(value)) {
    run.meter.step();
    if (keep(item)) yield item;
  }
}

function* mapped(run: Run, value: Value, change: (item: Value) => Value): Generator<Value> {
  for (const item of iterate(value)) {
    run.meter.step();
    yield change(item);
  }
}

const selecting =
  (wanted: boolean, ofAttribute: boolean): Spread =>
  (run, value, args, keywords) => {
    const [attribute, rest] = ofAttribute ? [args[0], args.slice(1)] : [undefined, args];
    if (ofAttribute && attribute === undefined) return fail("Missing parameter for attribute name");
    const read = ofAttribute ? attributeOf(run, attribute ?? null) : (item: Value) => item;
    if (!isTrue(value)) return new Stream([]);
    const [test, ...testArgs] = rest;
    if (test === undefined) {
      return new Stream(filtered(run, value, (item) => isTrue(read(item)) === wanted));
    }
    const name = text(run, test);
    return new Stream(
      filtered(run, value, (item) => applyTest(run, name, read(item), testArgs, keywords) === wanted),
    );
  };

type Spread = (run: Run, value: Value, args: readonly Value[], keywords: Keywords) => Value;

/** Filters that hand their arguments on. */
const spreadFilters: Readonly<Record<string, Spread>> = {
  __proto__: null as never,
  format: (run, value, args, keywords) => {
    if (args.length > 0 && keywords.size > 0)
      return fail("can't handle positional and keyword arguments at the same time");
    return percentFormat(run, soft(run, value), keywords.size > 0 ? Dict.of(keywords) : new Tuple(args));
  },
  map: (run, value, args, keywords) => {
    if (!isTrue(value)) return new Stream([]);
    if (args.length === 0 && keywords.has("attribute")) {
      for (const key of keywords.keys()) {
        if (key !== "attribute" && key !== "default")
          return fail(`Unexpected keyword argument '${key.slice(0, 60)}'`);
      }
      const fallback = keywords.get("default");
      const read = attributeOf(
        run,
        keywords.get("attribute") ?? null,
        given(fallback) ? fallback : undefined,
      );
      return new Stream(mapped(run, value, read));
    }
    const [name, ...rest] = args;
    if (name === undefined) return fail("map requires a filter argument");
    const filter = text(run, name);
    return new Stream(mapped(run, value, (item) => applyFilter(run, filter, item, rest, keywords)));
  },
  reject: selecting(false, false),
  rejectattr: selecting(false, true),
  select: selecting(true, false),
  selectattr: selecting(true, true),
};

const filters: Readonly<Record<string, Entry>> = aliased({
  __proto__: null as never,
  abs: [
    "",
    (_run, value) => {
      const number = numeric(value);
      if (value instanceof Undefined) return fail(value.hint);
      if (!number) return fail(`bad operand type for abs(): '${typeName(value)}'`);
      return number.float ? new Float(Math.abs(number.value)) : Math.abs(number.value);
    },
  ],
  attr: [
    "name",
    (run, value, name = null) => orElse(ownAttribute(run, value, text(run, name)), () => new Undefined()),
  ],
  batch: [
    "linecount fill_with",
    (run, value, size = null, fill) => new Stream(batch(run, value, size, fill)),
  ],
  capitalize: ["", onText(capitalize)],
  center: ["width", (run, value, width = 80) => byMethod("center")(run, value, width)],
  default: [
    "default_value boolean",
    (_run, value, fallback = "", falsy = false) =>
      value instanceof Undefined || (isTrue(falsy) && !isTrue(value)) ? fallback : value,
  ],
  dictsort: [
    "case_sensitive by reverse",
    (run, value, caseSensitive, by = "key", reverse = false) => {
      if (!(value instanceof Dict)) return fail(`dictsort: expected a dict, got ${typeName(value)}`);
      if (by !== "key" && by !== "value") return fail('You can only sort by either "key" or "value"');
      const fold = keyOf(run, undefined, caseSensitive);
      const pairs = [...value.entries.values()];
      const at = by === "key" ? 0 : 1;
      return sorted(run.meter, pairs, (pair) => fold(pair[at]), isTrue(reverse)).map(
        (pair) => new Tuple(pair),
      );
    },
  ],
  first: [
    "",
    (_run, value) => {
      for (const item of iterate(value)) return item;
      return new Undefined("No first item, sequence was empty.");
    },
  ],
  float: ["default", (_run, value, fallback = new Float(0)) => toFloat(value, fallback)],
  groupby: ["attribute default case_sensitive", groupBy],
  indent: ["width first blank", indent],
  int: ["default base", (_run, value, fallback = 0, base) => toInteger(value, fallback, base)],
  items: [
    "",
    (run, value) => {
      if (value instanceof Undefined) return new Stream([]);
      if (!(value instanceof Dict)) return fail("Can only get item pairs from a mapping.");
      run.meter.step(value.entries.size);
      return new Stream([...value.entries.values()].map((pair) => new Tuple(pair)));
    },
  ],
  join: [
    "d attribute",
    (run, value, between = "", attribute) => {
      const read = given(attribute) ? attributeOf(run, attribute) : (item: Value) => item;
      const parts = [...mapped(run, value, read)].map((item) => text(run, item));
      return joined(run, parts, text(run, between));
    },
  ],
  last: [
    "",
    (run, value) => {
      if (value instanceof Stream) return fail("'generator' object is not reversible");
      if (typeof value === "string") run.meter.read(value.length);
      return orElse(
        toList(run.meter, value).at(-1),
        () => new Undefined("No last item, sequence was empty."),
      );
    },
  ],
  length: [
    "",
    (run, value) => {
      if (typeof value === "string") run.meter.read(value.length);
      return lengthOf(value) ?? fail(`object of type '${typeName(value)}' has no len()`);
    },
  ],
  list: ["", (run, value) => toList(run.meter, value)],
  lower: ["", onText((value) => value.toLowerCase())],
  max: ["case_sensitive attribute", extreme(1)],
  min: ["case_sensitive attribute", extreme(-1)],
  replace: [
    "old new count",
    (run, value, from = null, to = null, limit) =>
      replaceAll(run, soft(run, value), soft(run, from), soft(run, to), given(limit) ? asInt(limit) : -1),
  ],
  reverse: [
    "",
    (run, value) => {
      if (typeof value === "string") return characters(run.meter, value).reverse().join("");
      const items = toList(run.meter, value);
      return new Stream(items.reverse());
    },
  ],
  round: [
    "precision method",
    (_run, value, precision = 0, how = "common") => {
      if (how !== "common") return unsupported("the filter round with another method than common");
      const digits = asInt(precision);
      const number = numeric(value);
      if (value instanceof Undefined) return fail(value.hint);
      if (!number) return fail(`type ${typeName(value)} doesn't define __round__ method`);
      if (digits < 0) return unsupported("the filter round with a negative precision");
      if (!number.float) return number.value;
      if (!Number.isFinite(number.value) || Math.abs(number.value) >= 2 ** 52) return value;
      return new Float(roundHalfEven(number.value, digits));
    },
  ],
  safe: ["", (run, value) => new Safe(text(run, value))],
  slice: [
    "slices fill_with",
    (run, value, count = null, fill) => new Stream(slices(run, value, count, fill)),
  ],
  sort: [
    "reverse case_sensitive attribute",
    (run, value, reverse = false, caseSensitive, attribute) =>
      sorted(run.meter, toList(run.meter, value), sortKey(run, attribute, caseSensitive), isTrue(reverse)),
  ],
  string: ["", (run, value) => (value instanceof Safe ? value : text(run, value))],
  sum: [
    "attribute start",
    (run, value, attribute, start = 0) => {
      const read = given(attribute) ? attributeOf(run, attribute) : (item: Value) => item;
      if (typeof start === "string") return fail("sum() can't sum strings [use ''.join(seq) instead]");
      let sum: Value = start;
      for (const item of iterate(value)) sum = binary(run, "+", sum, read(item));
      return sum;
    },
  ],
  title: ["", (run, value) => titleWords(run.meter, soft(run, value))],
  tojson: ["ensure_ascii indent separators sort_keys", toJson],
  trim: [
    "chars",
    (run, value, set) => strip(run.meter, soft(run, value), given(set) ? text(run, set) : undefined),
  ],
  truncate: ["length killwords end leeway", truncate],
  unique: [
    "case_sensitive attribute",
    (run, value, sensitive, attribute) => new Stream(unique(run, value, sensitive, attribute)),
  ],
  upper: ["", onText((value) => value.toUpperCase())],
  wordcount: ["", (run, value) => (soft(run, value).match(/[\p{L}\p{N}_]+/gu) ?? []).length],
});

function aliased(table: Record<string, Entry>): Readonly<Record<string, Entry>> {
  const { default: fallback, length } = table as Record<"default" | "length", Entry>;
  return Object.assign(table, { d: fallback, count: length });
}

function toJson(
  run: Run,
  value: Value,
  ascii: Value = false,
  width: Value = null,
  separators: Value = null,
  sortKeys: Value = false,
): Value {
  const indentation =
    width === null
      ? undefined
      : typeof width === "string"
        ? width
        : String(binary(run, "*", " ", asInt(width)));
  const pair = separators === null ? undefined : toList(run.meter, separators).map((part) => text(run, part));
  if (pair && pair.length !== 2) fail(`expected 2 separators, got ${pair.length}`);
  const [item = indentation === undefined ? ", " : ",", key = ": "] = pair ?? [];
  const byKey = (pairs: [Value, Value][]): [Value, Value][] => sorted(run.meter, pairs, ([key]) => key);
  return json(run, value, {
    ascii: isTrue(ascii),
    indent: indentation,
    separators: [item, key],
    sorted: isTrue(sortKeys) ? byKey : undefined,
  });
}
