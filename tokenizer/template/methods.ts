// The methods of Python's str, list and dict that jinja2's sandbox allows.
import { equal } from "./compare.ts";
import { braceFormat } from "./format.ts";
import { fail, type Meter, unsupported } from "./meter.ts";
import { intArgument } from "./numbers.ts";
import { capitalize, pad, splitLines, strip, swapCase, textTests, titleCase, words } from "./strings.ts";
import { joined, type Run } from "./text.ts";
import {
  asInt,
  characters,
  Dict,
  hasPairs,
  isList,
  type Keywords,
  lengthOf,
  orElse,
  Range,
  Thing,
  Tuple,
  toList,
  typeName,
  Undefined,
  type Value,
  View,
} from "./values.ts";

type TextMethod = (run: Run, self: string, args: readonly Value[], keywords: Keywords) => Value;

/** A bound method of a value; undefined if Python has none. @throws Unsupported if only Python has it */
export function method(run: Run, self: Value, name: string): Value | undefined {
  const type = typeName(self);
  const bound = (call: NonNullable<Thing["call"]>): Thing => new Thing("method", [], call);
  if (typeof self === "string") {
    const own = Object.hasOwn(textMethods, name) ? textMethods[name] : undefined;
    if (own) {
      return bound((args, keywords) => {
        run.meter.read(self.length);
        const positional = [...args];
        if (keywords.size > 0 && name !== "format") positional.push(...byName(name, args.length, keywords));
        return own(run, self, positional, keywords);
      });
    }
  } else if (self instanceof Dict) {
    const own = dictMethods(run, self)[name];
    if (own) return bound(own);
  } else if (isList(self) || self instanceof Tuple || self instanceof Range) {
    const own = listMethods(run.meter, self)[name];
    if (own) return bound(own);
  }
  if ((unsupportedMethods[type] ?? "").split(" ").includes(name)) {
    return unsupported(`the method "${name}" of a ${type}`);
  }
  return undefined;
}

/** Methods and attributes of Python that are not supported, by type. */
const unsupportedMethods: Readonly<Record<string, string>> = {
  str: "casefold encode expandtabs format_map isidentifier isprintable maketrans translate",
  dict: "fromkeys clear pop popitem update setdefault",
  list: "append extend insert remove clear pop sort reverse",
  int: "real imag numerator denominator bit_length bit_count conjugate to_bytes from_bytes as_integer_ratio",
  bool: "real imag numerator denominator bit_length bit_count conjugate to_bytes from_bytes as_integer_ratio",
  float: "real imag conjugate hex fromhex is_integer as_integer_ratio",
  range: "start stop step",
  generator: "close send throw gi_code gi_frame gi_running gi_yieldfrom gi_suspended",
  dict_keys: "isdisjoint mapping",
  dict_values: "mapping",
  dict_items: "isdisjoint mapping",
};

/** Methods that are refused when the template is compiled, whatever value they are called on. */
export const refusedMethods: ReadonlySet<string> = new Set(unsupportedMethods["str"]?.split(" "));

const parameters: Readonly<Record<string, readonly string[]>> = {
  split: ["sep", "maxsplit"],
  rsplit: ["sep", "maxsplit"],
  splitlines: ["keepends"],
};

/** Puts arguments given by name in order. An omitted one is None, or -1 for maxsplit. */
function byName(name: string, given: number, keywords: Keywords): Value[] {
  const names = parameters[name];
  if (!names) return fail(`${name}() takes no keyword arguments`);
  for (const key of keywords.keys()) {
    if (!names.slice(given).includes(key))
      fail(`'${key.slice(0, 60)}' is an invalid keyword argument for ${name}()`);
  }
  return names.slice(given).map((key) => orElse(keywords.get(key), () => (key === "maxsplit" ? -1 : null)));
}

function textOf(value: Value | undefined, what: string): string {
  if (typeof value === "string") return value;
  if (value instanceof Undefined) return fail(value.hint);
  return fail(`${what}: expected str, got ${value === undefined ? "nothing" : typeName(value)}`);
}

/** A text, or undefined if the argument is None or left out. */
const optionalText = (value: Value | undefined, what: string): string | undefined =>
  value === undefined || value === null ? undefined : textOf(value, what);

const fill = (value: Value | undefined): string => {
  const character = value === undefined ? " " : textOf(value, "fill character");
  if (lengthOf(character) !== 1) fail("The fill character must be exactly one character long");
  return character;
};

/** text[start:end] and its offset in code points; undefined if start > end. */
function window(
  meter: Meter,
  self: string,
  start: Value | undefined,
  end: Value | undefined,
): [string, number] | undefined {
  if (start === undefined && end === undefined) return [self, 0];
  const units = hasPairs(self) ? characters(meter, self) : self;
  const clamp = (at: number): number => (at < 0 ? Math.max(0, at + units.length) : at);
  const from = start === undefined || start === null ? 0 : clamp(asInt(start));
  const to = end === undefined || end === null ? units.length : Math.min(units.length, clamp(asInt(end)));
  if (from > to) return undefined;
  const part = units.slice(from, to);
  return [typeof part === "string" ? part : part.join(""), from];
}

function find(run: Run, self: string, args: readonly Value[], last: boolean): number {
  const wanted = textOf(args[0], "find");
  const part = window(run.meter, self, args[1], args[2]);
  if (!part) return -1;
  const at = last ? part[0].lastIndexOf(wanted) : part[0].indexOf(wanted);
  return at < 0 ? -1 : part[1] + (lengthOf(part[0].slice(0, at)) ?? 0);
}

function count(run: Run, self: string, args: readonly Value[]): number {
  const wanted = textOf(args[0], "count");
  const part = window(run.meter, self, args[1], args[2])?.[0];
  if (part === undefined) return 0;
  if (wanted === "") return (lengthOf(part) ?? 0) + 1;
  let found = 0;
  for (let at = part.indexOf(wanted); at >= 0; at = part.indexOf(wanted, at + wanted.length)) found++;
  return found;
}

const affix =
  (name: "startsWith" | "endsWith"): TextMethod =>
  (run, self, [wanted, start, end]) => {
    const part = window(run.meter, self, start, end)?.[0];
    const each = wanted instanceof Tuple ? wanted.items : [wanted];
    const texts = each.map((item) => textOf(item, name.toLowerCase()));
    return part !== undefined && texts.some((item) => part[name](item));
  };

/** Python's replace. The result is counted before it is built. */
export function replaceAll(run: Run, self: string, from: string, to: string, limit: number): string {
  if (limit === 0) return self;
  if (from === "") {
    const units = characters(run.meter, self);
    const times = limit < 0 ? units.length + 1 : Math.min(limit, units.length + 1);
    run.meter.build(self.length + times * to.length);
    return units.map((unit, i) => (i < times ? to : "") + unit).join("") + (units.length < times ? to : "");
  }
  run.meter.read(self.length);
  let times = 0;
  for (let at = self.indexOf(from); at >= 0 && times !== limit; at = self.indexOf(from, at + from.length))
    times++;
  if (times === 0) return self;
  run.meter.step(times);
  run.meter.build(self.length + times * (to.length - from.length));
  if (limit < 0) return self.replaceAll(from, () => to);
  const parts: string[] = [];
  let end = 0;
  for (let i = 0; i < times; i++) {
    const at = self.indexOf(from, end);
    parts.push(self.slice(end, at), to);
    end = at + from.length;
  }
  return parts.join("") + self.slice(end);
}

/** Python's split and rsplit. The pieces are counted before they are made. */
function split(run: Run, self: string, args: readonly Value[], fromRight: boolean): Value {
  const separator = optionalText(args[0], "split");
  const limit = intArgument(args[1], -1);
  if (separator === undefined) return words(run.meter, self, limit, fromRight);
  if (separator === "") return fail("empty separator");
  const pieces: string[] = [];
  let [start, end] = [0, self.length];
  const more = (): boolean => limit < 0 || pieces.length < limit;
  if (fromRight) {
    for (let at = end; more() && at >= separator.length; ) {
      at = self.lastIndexOf(separator, at - separator.length);
      if (at < 0) break;
      run.meter.step();
      pieces.push(self.slice(at + separator.length, end));
      end = at;
    }
    pieces.push(self.slice(0, end));
    return pieces.reverse();
  }
  for (let at = self.indexOf(separator); at >= 0 && more(); at = self.indexOf(separator, start)) {
    run.meter.step();
    pieces.push(self.slice(start, at));
    start = at + separator.length;
  }
  pieces.push(self.slice(start));
  return pieces;
}

const partition =
  (last: boolean): TextMethod =>
  (_run, self, [separator]) => {
    const cut = textOf(separator, "partition");
    if (cut === "") return fail("empty separator");
    const at = last ? self.lastIndexOf(cut) : self.indexOf(cut);
    if (at < 0) return new Tuple(last ? ["", "", self] : [self, "", ""]);
    return new Tuple([self.slice(0, at), cut, self.slice(at + cut.length)]);
  };

const stripper =
  (left: boolean, right: boolean): TextMethod =>
  (run, self, [set]) =>
    strip(run.meter, self, optionalText(set, "strip"), left, right);

const justify =
  (align: string): TextMethod =>
  (run, self, [width, character]) =>
    pad(run, self, asInt(width ?? new Undefined("a width is missing")), fill(character), align);

const textMethods: Readonly<Record<string, TextMethod>> = {
  ...Object.fromEntries(
    Object.entries(textTests).map(([name, test]) => [name, (_run: Run, self: string) => test(self)]),
  ),
  capitalize: (_run, self) => capitalize(self),
  // If the padding is odd, Python puts the extra character left for an odd width, right for an even one.
  center: (run, self, [width, character]) => {
    const wanted = asInt(width ?? new Undefined("a width is missing"));
    const room = wanted - (lengthOf(self) ?? 0);
    if (room <= 0) return self;
    const left = Math.floor(room / 2) + ((room % 2) & (wanted % 2) & 1);
    const blank = fill(character);
    const half = pad(run, self, (lengthOf(self) ?? 0) + left, blank, ">");
    return pad(run, half, wanted, blank, "<");
  },
  count: (run, self, args) => count(run, self, args),
  endswith: affix("endsWith"),
  find: (run, self, args) => find(run, self, args, false),
  format: (run, self, args, keywords) => braceFormat(run, self, args, keywords),
  index: (run, self, args) => {
    const at = find(run, self, args, false);
    return at < 0 ? fail("substring not found") : at;
  },
  join: (run, self, [items]) => {
    const parts = toList(run.meter, items ?? null).map((item) => textOf(item, "join"));
    return joined(run, parts, self);
  },
  ljust: justify("<"),
  lower: (_run, self) => self.toLowerCase(),
  lstrip: stripper(true, false),
  partition: partition(false),
  removeprefix: (_run, self, [prefix]) => {
    const start = textOf(prefix, "removeprefix");
    return self.startsWith(start) ? self.slice(start.length) : self;
  },
  removesuffix: (_run, self, [suffix]) => {
    const end = textOf(suffix, "removesuffix");
    return end !== "" && self.endsWith(end) ? self.slice(0, -end.length) : self;
  },
  replace: (run, self, [from, to, limit]) =>
    replaceAll(run, self, textOf(from, "replace"), textOf(to, "replace"), intArgument(limit, -1)),
  rfind: (run, self, args) => find(run, self, args, true),
  rindex: (run, self, args) => {
    const at = find(run, self, args, true);
    return at < 0 ? fail("substring not found") : at;
  },
  rjust: justify(">"),
  rpartition: partition(true),
  rsplit: (run, self, args) => split(run, self, args, true),
  rstrip: stripper(false, true),
  split: (run, self, args) => split(run, self, args, false),
  splitlines: (run, self, [keep]) =>
    splitLines(run.meter, self, keep !== undefined && keep !== null && keep !== false && keep !== 0),
  startswith: affix("startsWith"),
  strip: stripper(true, true),
  swapcase: (run, self) => swapCase(run.meter, self),
  title: (run, self) => titleCase(run.meter, self),
  upper: (_run, self) => self.toUpperCase(),
  zfill: (run, self, [width]) => {
    const sign = /^[+-]/.exec(self)?.[0] ?? "";
    const digits = self.slice(sign.length);
    return sign + pad(run, digits, asInt(width ?? null) - sign.length, "0", ">");
  },
};

type Methods = Readonly<Record<string, (args: readonly Value[], keywords: Keywords) => Value>>;

function dictMethods({ meter }: Run, self: Dict): Methods {
  const entries = () => {
    meter.step(self.entries.size);
    return [...self.entries.values()];
  };
  return {
    __proto__: null as never,
    get: ([key, fallback = null]) => orElse(self.get(key ?? null), () => fallback),
    keys: () =>
      new View(
        "dict_keys",
        entries().map(([key]) => key),
      ),
    values: () =>
      new View(
        "dict_values",
        entries().map(([, value]) => value),
      ),
    items: () =>
      new View(
        "dict_items",
        entries().map((pair) => new Tuple(pair)),
      ),
    copy: () => self,
  };
}

function listMethods(meter: Meter, self: readonly Value[] | Tuple | Range): Methods {
  const items = (): Value[] => toList(meter, self);
  const methods: Methods = {
    __proto__: null as never,
    count: ([wanted]) => items().filter((item) => equal(meter, item, wanted ?? null)).length,
    index: ([wanted, start]) => {
      const from = intArgument(start, 0);
      const list = items();
      const begin = from < 0 ? Math.max(0, from + list.length) : from;
      const at = list.findIndex((item, i) => i >= begin && equal(meter, item, wanted ?? null));
      return at < 0 ? fail("the value is not in list") : at;
    },
  };
  return isList(self) ? { ...methods, __proto__: null as never, copy: () => self } : methods;
}
