// Values as text: Python's str(), repr() and json.dumps().
import { fail, type Meter, unsupported } from "./meter.ts";
import {
  Dict,
  Float,
  isList,
  Range,
  Safe,
  Stream,
  Thing,
  Tuple,
  typeName,
  Undefined,
  type Value,
  View,
} from "./values.ts";

/** Python's str(value) */
export function text(run: Run, value: Value): string {
  if (typeof value === "string") return value;
  if (value instanceof Safe) return value.text;
  return value instanceof Undefined ? "" : repr(run, value);
}

/** The state of one run: its budget, and the placeholder characters, which are never escaped. */
export interface Run {
  readonly meter: Meter;
  readonly verbatim: string;
}

/** Python's repr(value) */
export function repr(run: Run, value: Value): string {
  run.meter.step();
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return quoted(run, value);
  if (value instanceof Float) return floatText(value.value);
  if (value instanceof Undefined) return "Undefined";
  if (value instanceof Tuple) return `(${listed(run, value.items)}${value.items.length === 1 ? "," : ""})`;
  if (isList(value)) return `[${listed(run, value)}]`;
  if (value instanceof Dict) {
    const pairs = [...value.entries.values()].map(([key, item]) => `${repr(run, key)}: ${repr(run, item)}`);
    return `{${joined(run, pairs, ", ")}}`;
  }
  if (value instanceof View) return `${value.name}([${listed(run, value.items)}])`;
  if (value instanceof Range) {
    const { start, stop, step } = value;
    return `range(${start}, ${stop}${step === 1 ? "" : `, ${step}`})`;
  }
  if (value instanceof Thing) return value.asText();
  return unsupported(`the text of a ${value instanceof Stream ? "generator" : typeName(value)}`);
}

const listed = (run: Run, items: readonly Value[]): string =>
  joined(
    run,
    items.map((item) => repr(run, item)),
    ", ",
  );

/** Joins parts. The result is counted before it is built. */
export function joined({ meter }: Run, parts: readonly string[], between: string): string {
  meter.build(
    parts.reduce((sum, { length }) => sum + length, between.length * Math.max(0, parts.length - 1)),
  );
  return parts.join(between);
}

const short: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };
const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, "0");

function quoted({ meter, verbatim }: Run, value: string): string {
  meter.build(2 * value.length);
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const inner = value.replace(/[\\'\p{C}\p{Z}]/gu, (character) => {
    if (character === "'") return quote === "'" ? "\\'" : "'";
    if (character === " " || verbatim.includes(character)) return character;
    const code = character.codePointAt(0) ?? 0;
    const escaped =
      code < 0x100 ? `x${hex(code, 2)}` : code < 0x10000 ? `u${hex(code, 4)}` : `U${hex(code, 8)}`;
    return short[character] ?? `\\${escaped}`;
  });
  return quote + inner + quote;
}

/** repr() of a float: the shortest digits that read back the same; exponents below 1e-4 and from 1e16. */
function floatText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value < 0 ? "-inf" : "inf";
  if (Object.is(value, -0)) return "-0.0";
  const [mantissa = "", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (value !== 0 && (power < -4 || power >= 16)) {
    return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  const plain = power < 0 ? value.toFixed(mantissa.replace(/\D/g, "").length - 1 - power) : String(value);
  return plain.includes(".") ? plain : `${plain}.0`;
}

export interface JsonStyle {
  readonly ascii: boolean;
  /** One level of indentation; undefined: all on one line. */
  readonly indent: string | undefined;
  readonly separators: readonly [item: string, key: string];
  readonly sorted: ((keys: [Value, Value][]) => [Value, Value][]) | undefined;
}

/** Python's json.dumps(value) */
export function json(run: Run, value: Value, style: JsonStyle, depth = 0): string {
  run.meter.step();
  if (typeof value === "string") return jsonText(run, value, style.ascii);
  if (value instanceof Safe) return jsonText(run, value.text, style.ascii);
  if (value === null) return "null";
  if (typeof value === "boolean" || typeof value === "number") return String(value);
  if (value instanceof Float) return jsonFloat(value.value);
  const [itemEnd, keyEnd] = style.separators;
  const items = value instanceof Tuple ? value.items : value;
  let parts: string[];
  if (isList(items)) parts = items.map((item) => json(run, item, style, depth + 1));
  else if (items instanceof Dict) {
    const entries = [...items.entries.values()];
    parts = (style.sorted?.(entries) ?? entries).map(
      ([key, item]) => jsonKey(run, key, style) + keyEnd + json(run, item, style, depth + 1),
    );
  } else return fail(`Object of type ${typeName(value)} is not JSON serializable`);
  const [open, close] = isList(items) ? "[]" : "{}";
  if (parts.length === 0) return `${open}${close}`;
  if (style.indent === undefined) return open + joined(run, parts, itemEnd) + close;
  run.meter.build(style.indent.length * (depth + 1));
  const line = `\n${style.indent.repeat(depth + 1)}`;
  return `${open}${line}${joined(run, parts, itemEnd + line)}\n${style.indent.repeat(depth)}${close}`;
}

function jsonKey(run: Run, key: Value, { ascii }: JsonStyle): string {
  if (typeof key === "string") return jsonText(run, key, ascii);
  if (key === null) return '"null"';
  if (key instanceof Float) return `"${jsonFloat(key.value)}"`;
  if (typeof key === "boolean" || typeof key === "number") return `"${key}"`;
  return fail(`keys must be str, int, float, bool or None, not ${typeName(key)}`);
}

const jsonFloat = (value: number): string =>
  Number.isFinite(value) ? floatText(value) : Number.isNaN(value) ? "NaN" : `${value < 0 ? "-" : ""}Infinity`;

const jsonShort: Readonly<Record<string, string>> = {
  ...short,
  '"': '\\"',
  "\b": "\\b",
  "\f": "\\f",
};

function jsonText({ meter, verbatim }: Run, value: string, ascii: boolean): string {
  meter.build(2 * value.length);
  const escaped = (unit: string): string =>
    verbatim.includes(unit) ? unit : (jsonShort[unit] ?? `\\u${hex(unit.charCodeAt(0), 4)}`);
  return `"${value.replace(ascii ? /[^ !#-[\]-~]/g : /[\0-\x1f"\\]/g, escaped)}"`;
}
