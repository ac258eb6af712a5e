// The global functions of a template: those of jinja2, and the two that transformers adds.
import { inOrder } from "./filter.ts";
import { BudgetExceeded, fail, unsupported } from "./meter.ts";
import { type Run, text } from "./text.ts";
import { asInt, Dict, type Keywords, Range, Thing, toList, type Value } from "./values.ts";

/** The template has called `raise_exception`. */
export class TemplateRaised extends Error {}

/** The bound of jinja2's sandbox. */
const MAX_RANGE = 100_000;

/** Globals of jinja2 that are not supported. */
export const refusedGlobals: ReadonlySet<string> = new Set(["lipsum", "self"]);

export class Namespace extends Thing {
  constructor(entries: Iterable<readonly [string, Value]>) {
    super("namespace", entries);
  }
}

export function globals(run: Run): ReadonlyMap<string, Value> {
  const define = (name: string, call: NonNullable<Thing["call"]>): [string, Value] => [
    name,
    new Thing("function", [], call),
  ];
  return new Map([
    define("range", (args, keywords) => range(inOrder("range", ["start", "stop", "step"], args, keywords))),
    define("dict", (args, keywords) => dict(run, args, keywords)),
    define("namespace", (args, keywords) => {
      const entries = [...dict(run, args, keywords).entries.values()];
      return new Namespace(entries.map(([key, value]) => [text(run, key), value]));
    }),
    define("cycler", (items) => cycler(items)),
    define("joiner", ([separator = ", "]) => {
      let used = false;
      return new Thing("joiner", [], () => {
        const shown = used ? separator : "";
        used = true;
        return shown;
      });
    }),
    define("raise_exception", ([message = null]) => {
      throw new TemplateRaised(text(run, message));
    }),
    define("strftime_now", ([format = null]) => strftime(run, text(run, format), new Date())),
  ]);
}

function range([first, second, third]: readonly (Value | undefined)[]): Range {
  const [start, stop] =
    second === undefined ? [0, asInt(first ?? null)] : [asInt(first ?? null), asInt(second)];
  const step = third === undefined ? 1 : asInt(third);
  if (step === 0) fail("range() arg 3 must not be zero");
  const result = new Range(start, stop, step);
  if (result.length > MAX_RANGE) {
    throw new BudgetExceeded(`range() of ${result.length}, more than ${MAX_RANGE}`);
  }
  return result;
}

function dict(run: Run, [source]: readonly Value[], keywords: Keywords): Dict {
  const result = new Dict();
  if (source instanceof Dict) for (const [key, value] of source.entries.values()) result.set(key, value);
  else if (source !== undefined) {
    for (const pair of toList(run.meter, source)) {
      const [key, value, ...more] = toList(run.meter, pair);
      if (key === undefined || value === undefined || more.length > 0) fail("dict(): expected pairs");
      else result.set(key, value);
    }
  }
  for (const [key, value] of keywords) result.set(key, value);
  return result;
}

function cycler(items: readonly Value[]): Thing {
  if (items.length === 0) fail("at least one item has to be provided");
  let at = 0;
  const current = (): Value => items[at] ?? null;
  class Cycler extends Thing {
    override attribute(name: string): Value | undefined {
      return name === "current" ? current() : super.attribute(name);
    }
  }
  const next = new Thing("method", [], () => {
    const item = current();
    at = (at + 1) % items.length;
    return item;
  });
  const reset = new Thing("method", [], () => {
    at = 0;
    return null;
  });
  return new Cycler("cycler", [
    ["next", next],
    ["reset", reset],
  ]);
}

/** Formats dates in English on every machine, as Python does in its C locale. */
function strftime(run: Run, format: string, now: Date): string {
  run.meter.build(4 * format.length);
  const two = (value: number): string => String(value).padStart(2, "0");
  const name = (options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat("en", options).format(now);
  const hour = now.getHours();
  const fields: Readonly<Record<string, string>> = {
    Y: String(now.getFullYear()),
    y: two(now.getFullYear() % 100),
    m: two(now.getMonth() + 1),
    d: two(now.getDate()),
    e: String(now.getDate()).padStart(2),
    H: two(hour),
    I: two(hour % 12 || 12),
    M: two(now.getMinutes()),
    S: two(now.getSeconds()),
    p: hour < 12 ? "AM" : "PM",
    B: name({ month: "long" }),
    b: name({ month: "short" }),
    A: name({ weekday: "long" }),
    a: name({ weekday: "short" }),
    j: String(dayOfYear(now)).padStart(3, "0"),
    w: String(now.getDay()),
    "%": "%",
  };
  return format.replace(/%(-?)(.?)/gs, (_, plain: string, field: string) => {
    const value = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (value === undefined) return unsupported(`"%${plain}${field}" in strftime_now`);
    return plain === "" ? value : value.replace(/^[0 ]+(?=\d)/, "");
  });
}

function dayOfYear(now: Date): number {
  const midnight = Date.UTC(now.getFullYear(), now.getMonth(), now.getDate());
  return (midnight - Date.UTC(now.getFullYear(), 0, 0)) / 864e5;
}
