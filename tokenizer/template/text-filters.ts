// Filters that return a text.
import { sorted } from "./compare.ts";
import type { Filter } from "./filter.ts";
import { given } from "./keys.ts";
import { fail, unsupported } from "./meter.ts";
import { method } from "./methods.ts";
import { binary } from "./operators.ts";
import { splitLines } from "./strings.ts";
import { joined, json, type Run, text } from "./text.ts";
import {
  asInt,
  characters,
  isTrue,
  type Keywords,
  lengthOf,
  Safe,
  toList,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

const noKeywords: Keywords = new Map();

/** A filter's input as a text: jinja2's soft_str. */
export function soft(run: Run, value: Value): string {
  if (value instanceof Safe) return unsupported("a filter on a safe text");
  const whole = text(run, value);
  run.meter.build(whole.length);
  return whole;
}

export const onText =
  (change: (text: string) => string): Filter =>
  (run, value) =>
    change(soft(run, value));

/** A filter that calls the method of the same name. */
export const byMethod =
  (name: string): Filter =>
  (run, value, ...args) => {
    const bound = method(run, soft(run, value), name) as { call: NonNullable<Call> };
    return bound.call(
      args.filter((arg) => arg !== undefined),
      noKeywords,
    );
  };
type Call = (args: readonly Value[], keywords: Keywords) => Value;

export function indent(
  run: Run,
  value: Value,
  width: Value = 4,
  first: Value = false,
  blank: Value = false,
): Value {
  const unit = typeof width === "string" ? width : binary(run, "*", " ", width);
  if (typeof value !== "string") fail(`indent: expected a text, got ${typeName(value)}`);
  const lines = splitLines(run.meter, `${soft(run, value)}\n`);
  const all = isTrue(blank);
  const indented = lines.map((line, i) => (i > 0 && (all || line !== "") ? `${unit}${line}` : line));
  return (isTrue(first) ? String(unit) : "") + joined(run, indented, "\n");
}

export function truncate(
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
  const [max, mark] = [asInt(length), text(run, end)];
  const size = lengthOf(mark) ?? 0;
  const slack = given(leeway) ? asInt(leeway) : 5;
  if (max < size) fail(`expected length >= ${size}, got ${max}`);
  if (slack < 0) fail(`expected leeway >= 0, got ${slack}`);
  if (units.length <= max + slack) return units.join("");
  const cut = units.slice(0, max - size).join("");
  if (isTrue(killWords)) return cut + mark;
  const at = cut.lastIndexOf(" ");
  return (at < 0 ? cut : cut.slice(0, at)) + mark;
}

export function toJson(
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
