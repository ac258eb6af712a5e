// The values of a template: classes for Python's types that JavaScript lacks.
import { fail, type Meter, unsupported } from "./meter.ts";

/** The value of an undefined name. It prints as empty text and raises in most other uses. */
export class Undefined {
  readonly hint: string;

  constructor(hint = "a value is undefined") {
    this.hint = hint;
  }
}

/** A Python float. A plain JavaScript number is an int. */
export class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

export class Tuple {
  readonly items: readonly Value[];
  /** The fields of a named tuple. */
  readonly names: readonly string[];

  constructor(items: readonly Value[], names: readonly string[] = []) {
    this.items = items;
    this.names = names;
  }
}

type Key = string | number | null;

export class Dict {
  readonly entries = new Map<Key, [key: Value, value: Value]>();

  static of(entries: Iterable<readonly [Value, Value]>): Dict {
    const dict = new Dict();
    for (const [key, value] of entries) dict.set(key, value);
    return dict;
  }

  get(key: Value): Value | undefined {
    return this.entries.get(hashed(key))?.[1];
  }

  set(key: Value, value: Value): void {
    const hash = hashed(key);
    this.entries.set(hash, [this.entries.get(hash)?.[0] ?? key, value]);
  }

  get keys(): Value[] {
    return [...this.entries.values()].map(([key]) => key);
  }
}

/** What keys(), values() and items() of a dict return: can be iterated, but is no list. */
export class View {
  readonly name: "dict_keys" | "dict_values" | "dict_items";
  readonly items: readonly Value[];

  constructor(name: View["name"], items: readonly Value[]) {
    this.name = name;
    this.items = items;
  }
}

export class Range {
  readonly start: number;
  readonly stop: number;
  readonly step: number;

  constructor(start: number, stop: number, step: number) {
    Object.assign(this, { start, stop, step });
    this.start = start;
    this.stop = stop;
    this.step = step;
  }

  get length(): number {
    return Math.max(0, Math.ceil((this.stop - this.start) / this.step));
  }

  at(index: number): number {
    return this.start + index * this.step;
  }
}

/** A generator: can be iterated once. */
export class Stream implements Iterable<Value> {
  readonly #items: Iterator<Value>;

  constructor(items: Iterable<Value>) {
    this.#items = items[Symbol.iterator]();
  }

  *[Symbol.iterator](): Generator<Value> {
    for (let next = this.#items.next(); !next.done; next = this.#items.next()) yield next.value;
  }
}

/** A text after the filter `safe`. It can be printed; other uses are mostly unsupported. */
export class Safe {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Keywords = ReadonlyMap<string, Value>;

/** An object with attributes, or a callable: a namespace, a loop, a macro, a method. */
export class Thing {
  readonly kind: string;
  readonly attributes: Map<string, Value>;
  readonly call: ((args: readonly Value[], keywords: Keywords) => Value) | undefined;

  constructor(kind: string, attributes: Iterable<readonly [string, Value]> = [], call?: Thing["call"]) {
    this.kind = kind;
    this.attributes = new Map(attributes);
    this.call = call;
  }

  attribute(name: string): Value | undefined {
    return this.attributes.get(name);
  }

  asText(): string {
    return unsupported(`the text of a ${this.kind}`);
  }
}

export type Value =
  | Undefined
  | null
  | boolean
  | number
  | string
  | Float
  | readonly Value[]
  | Tuple
  | Dict
  | View
  | Range
  | Stream
  | Safe
  | Thing;

function hashed(key: Value): Key {
  if (key === null || typeof key === "string") return key;
  if (typeof key === "number" || typeof key === "boolean") return Number(key);
  if (key instanceof Float) return key.value;
  if (isList(key) || key instanceof Dict) fail(`unhashable type: '${typeName(key)}'`);
  return unsupported(`a ${typeName(key)} as the key of a dict`);
}

/** A default for a missing value. Not `??`: None (null) is a value. */
export const orElse = <T extends Value>(value: T | undefined, otherwise: () => T): T =>
  value === undefined ? otherwise() : value;

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

/** Converts a JSON value to a template's value. */
export function toValue(value: unknown): Value {
  if (value === undefined) return new Undefined();
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : new Float(value);
  if (Array.isArray(value)) return value.map(toValue);
  return Dict.of(Object.entries(value as object).map(([key, item]) => [key, toValue(item)] as const));
}

/** Python's name of the type. */
export function typeName(value: Value): string {
  if (value === null) return "NoneType";
  if (typeof value === "string") return "str";
  if (typeof value === "number") return "int";
  if (typeof value === "boolean") return "bool";
  if (isList(value)) return "list";
  if (value instanceof Undefined) return "Undefined";
  if (value instanceof Float) return "float";
  if (value instanceof Tuple) return "tuple";
  if (value instanceof Dict) return "dict";
  if (value instanceof View) return value.name;
  if (value instanceof Range) return "range";
  if (value instanceof Stream) return "generator";
  return value instanceof Safe ? "Markup" : value.kind;
}

export function isTrue(value: Value): boolean {
  if (value === null || value instanceof Undefined) return false;
  if (typeof value !== "object") return Boolean(value);
  if (value instanceof Float) return value.value !== 0;
  return lengthOf(value) !== 0;
}

/** Python's len(); undefined if the type has none. The length of a text is in code points. */
export function lengthOf(value: Value): number | undefined {
  if (typeof value === "string") return hasPairs(value) ? codePoints(value) : value.length;
  if (value === null || typeof value !== "object") return undefined;
  if (isList(value)) return value.length;
  if (value instanceof Undefined) return 0;
  if (value instanceof Dict) return value.entries.size;
  if (value instanceof Tuple || value instanceof View) return value.items.length;
  if (value instanceof Range) return value.length;
  return value instanceof Safe ? lengthOf(value.text) : undefined;
}

/** Whether the text has surrogate pairs, so that its length in UTF-16 and in code points differs. */
export const hasPairs = (text: string): boolean => /[\ud800-\udbff][\udc00-\udfff]/.test(text);

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** The characters of a text, as Python counts them: code points. */
export function characters(meter: Meter, text: string): string[] {
  meter.step(text.length);
  return Array.from(text);
}

/** Python's iter(value). */
export function iterate(value: Value): Iterable<Value> {
  if (typeof value === "string" || isList(value)) return value;
  if (value instanceof Tuple || value instanceof View) return value.items;
  if (value instanceof Dict) return value.keys;
  if (value instanceof Stream) return value;
  if (value instanceof Range) {
    return (function* () {
      for (let i = 0; i < value.length; i++) yield value.at(i);
    })();
  }
  if (value instanceof Undefined) return [];
  if (value instanceof Safe) return unsupported("a loop over a safe text");
  return fail(`'${typeName(value)}' object is not iterable`);
}

export function toList(meter: Meter, value: Value): Value[] {
  meter.step(lengthOf(value) ?? 0);
  const list: Value[] = [];
  for (const item of iterate(value)) {
    meter.step();
    list.push(item);
  }
  return list;
}

export interface Numeric {
  readonly value: number;
  readonly float: boolean;
}

/** The number of an int, bool or float; undefined for other types. */
export function numeric(value: Value): Numeric | undefined {
  if (typeof value === "number" || typeof value === "boolean") return { value: Number(value), float: false };
  return value instanceof Float ? { value: value.value, float: true } : undefined;
}

/** Checks that JavaScript can represent an int exactly. @throws Unsupported beyond 2^53 */
export function toInt(value: number): number {
  if (!Number.isSafeInteger(value)) unsupported("an int beyond 2^53");
  return value + 0;
}

/** An int or bool as a number. @throws TemplateFailure for other types */
export function asInt(value: Value): number {
  if (typeof value === "number" || typeof value === "boolean") return Number(value);
  if (value instanceof Undefined) return fail(value.hint);
  return fail(`'${typeName(value)}' object cannot be interpreted as an integer`);
}
