// The filters of jinja2, and `tojson` as transformers defines it.
import { ownAttribute } from "./access.ts";
import { sorted } from "./compare.ts";
import { type Filter, inOrder } from "./filter.ts";
import { percentFormat } from "./format.ts";
import { attributeOf, given, keyOf, sortKey } from "./keys.ts";
import { batch, extreme, filtered, groupBy, mapped, slices, unique } from "./list-filters.ts";
import { fail, unsupported } from "./meter.ts";
import { replaceAll } from "./methods.ts";
import { absolute, round, toFloat, toInteger } from "./number-filters.ts";
import { binary } from "./operators.ts";
import { capitalize, strip, titleWords } from "./strings.ts";
import { applyTest } from "./tests.ts";
import { joined, type Run, text } from "./text.ts";
import { byMethod, indent, onText, soft, toJson, truncate } from "./text-filters.ts";
import {
  asInt,
  characters,
  Dict,
  Float,
  isTrue,
  iterate,
  type Keywords,
  lengthOf,
  orElse,
  Safe,
  Stream,
  Tuple,
  toList,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

/** The names of the arguments, in order, and the filter. */
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

/** Filters that pass their arguments on to another filter, test or format. */
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
  abs: ["", absolute],
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
  round: ["precision method", round],
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
