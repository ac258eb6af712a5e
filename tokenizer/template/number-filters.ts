// The filters int and float.
import { given } from "./keys.ts";
import { fail, unsupported } from "./meter.ts";
import { strip } from "./strings.ts";
import { Float, numeric, toInt, Undefined, type Value } from "./values.ts";

function toNumber(value: Value, base: number): number | Float | undefined {
  if (typeof value === "string") {
    const digits = strip({ read() {} } as never, value, undefined).replace(/(?<=\w)_(?=\w)/g, "");
    return base === 10 && /^[+-]?\d+$/.test(digits) ? toInt(Number(digits)) : undefined;
  }
  const number = numeric(value);
  if (value instanceof Undefined) return fail(value.hint);
  return number && Number.isFinite(number.value) ? toInt(Math.trunc(number.value)) : undefined;
}

/** float("...") of Python; undefined where it raises. */
function parseFloatText(text: string): number | undefined {
  const plain = strip({ read() {} } as never, text, undefined).replace(/(?<=\d)_(?=\d)/g, "");
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return Number(plain);
  const [, sign = "", word = ""] = /^([+-]?)(inf|infinity|nan)$/i.exec(plain) ?? [];
  if (word === "") return undefined;
  return word.toLowerCase() === "nan" ? Number.NaN : sign === "-" ? -Infinity : Infinity;
}

export function toInteger(value: Value, fallback: Value, base: Value | undefined): Value {
  if (given(base) && base !== 10) return unsupported("the filter int with a base");
  const direct = toNumber(value, 10);
  if (direct !== undefined) return direct;
  const float = typeof value === "string" ? parseFloatText(value) : undefined;
  return float === undefined || !Number.isFinite(float) ? fallback : toInt(Math.trunc(float));
}

export function toFloat(value: Value, fallback: Value): Value {
  const float = typeof value === "string" ? parseFloatText(value) : numeric(value)?.value;
  if (value instanceof Undefined) return fail(value.hint);
  return float === undefined ? fallback : new Float(float);
}
