// Accesses of Jinja: value.name, value[key] and value[a:b:c].
import { fail, unsupported } from "./meter.ts";
import { method } from "./methods.ts";
import type { Run } from "./text.ts";
import {
  asInt,
  characters,
  Dict,
  hasPairs,
  isList,
  orElse,
  Range,
  Safe,
  Thing,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

/** value.name: the attribute first, then the item. So `message.items` is the method. */
export function getAttribute(run: Run, value: Value, name: string): Value {
  return orElse(ownAttribute(run, value, name), () =>
    orElse(itemOf(run, value, name), () => absent(value, name)),
  );
}

/** value[key]: the item first, then the attribute. */
export function getItem(run: Run, value: Value, key: Value): Value {
  const item = itemOf(run, value, key);
  if (item !== undefined) return item;
  return orElse(typeof key === "string" ? ownAttribute(run, value, key) : undefined, () =>
    absent(value, key),
  );
}

/** Python's getattr; undefined if there is no such attribute. */
export function ownAttribute(run: Run, value: Value, name: string): Value | undefined {
  if (value instanceof Undefined) return fail(value.hint);
  if (value instanceof Thing) return value.attribute(name);
  if (value instanceof Safe) return unsupported(`"${name}" of a safe text`);
  if (value instanceof Tuple && value.names.includes(name)) return value.items[value.names.indexOf(name)];
  return method(run, value, name);
}

function itemOf(run: Run, value: Value, key: Value): Value | undefined {
  if (value instanceof Undefined) return fail(value.hint);
  if (value instanceof Dict) {
    return isList(key) || key instanceof Dict ? undefined : value.get(key);
  }
  if (value instanceof Safe) return unsupported("an item of a safe text");
  if (typeof key !== "number" && typeof key !== "boolean") return undefined;
  const at = Number(key);
  if (typeof value === "string") {
    if (!hasPairs(value)) return value[at < 0 ? at + value.length : at];
    return characters(run.meter, value).at(at);
  }
  if (value instanceof Range) {
    const index = at < 0 ? at + value.length : at;
    return index >= 0 && index < value.length ? value.at(index) : undefined;
  }
  return isList(value) ? value.at(at) : value instanceof Tuple ? value.items.at(at) : undefined;
}

function absent(value: Value, key: Value): Undefined {
  const shown = typeof key === "string" ? `'${key.slice(0, 60)}'` : String(key).slice(0, 60);
  return new Undefined(`'${typeName(value)} object' has no attribute ${shown}`);
}

type Bound = Value | undefined;

/** value[from:to:by] */
export function getSlice(run: Run, value: Value, from: Bound, to: Bound, by: Bound): Value {
  if (value instanceof Undefined) return fail(value.hint);
  if (value instanceof Safe) return unsupported("a slice of a safe text");
  const sequence = value instanceof Tuple ? value.items : value;
  if (typeof sequence === "string") {
    run.meter.read(sequence.length);
    if (!hasPairs(sequence)) {
      const { start, stop, step, count } = indices(sequence.length, from, to, by);
      run.meter.build(count);
      if (step === 1) return sequence.slice(start, Math.max(start, stop));
      run.meter.step(count);
      return Array.from({ length: count }, (_, i) => sequence[start + i * step]).join("");
    }
  }
  if (sequence instanceof Range) {
    const { start, stop, step } = indices(sequence.length, from, to, by);
    return new Range(sequence.at(start), sequence.at(stop), sequence.step * step);
  }
  const items = typeof sequence === "string" ? characters(run.meter, sequence) : sequence;
  if (!isList(items)) return unsupported(`a slice of a ${typeName(value)}`);
  const { start, step, count } = indices(items.length, from, to, by);
  run.meter.step(count);
  const part = Array.from({ length: count }, (_, i) => items[start + i * step] as Value);
  if (typeof sequence === "string") return part.join("");
  return value instanceof Tuple ? new Tuple(part) : part;
}

/** Python's slice(from, to, by).indices(length), and the number of items. */
function indices(
  length: number,
  from: Bound,
  to: Bound,
  by: Bound,
): { start: number; stop: number; step: number; count: number } {
  const step = by === undefined || by === null ? 1 : asInt(by);
  if (step === 0) fail("slice step cannot be zero");
  const [lowest, highest] = step > 0 ? [0, length] : [-1, length - 1];
  const clamp = (bound: Bound, fallback: number): number => {
    if (bound === undefined || bound === null) return fallback;
    const at = asInt(bound);
    return Math.min(highest, Math.max(lowest, at < 0 ? at + length : at));
  };
  const start = clamp(from, step > 0 ? lowest : highest);
  const stop = clamp(to, step > 0 ? highest : lowest);
  return { start, stop, step, count: Math.max(0, Math.ceil((stop - start) / step)) };
}
