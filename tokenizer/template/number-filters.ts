// Filters of numbers.
import { given } from "./keys.ts";
import { fail, unsupported } from "./meter.ts";
import { roundHalfEven } from "./numbers.ts";
import { stripUncounted } from "./strings.ts";
import type { Run } from "./text.ts";
import { asInt, Float, numeric, toInt, typeName, Undefined, type Value } from "./values.ts";

/** Python's int(value); undefined if it raises. */
function toNumber(value: Value): number | undefined {
  if (typeof value === "string") {
    const digits = stripUncounted(value).replace(/(?<=\w)_(?=\w)/g, "");
    return /^[+-]?\d+$/.test(digits) ? toInt(Number(digits)) : undefined;
  }
  const number = numeric(value);
  if (value instanceof Undefined) return fail(value.hint);
  return number && Number.isFinite(number.value) ? toInt(Math.trunc(number.value)) : undefined;
}

/** Python's float(text); undefined if it raises. */
function parseFloatText(text: string): number | undefined {
  const plain = stripUncounted(text).replace(/(?<=\d)_(?=\d)/g, "");
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return Number(plain);
  const [, sign = "", word = ""] = /^([+-]?)(inf|infinity|nan)$/i.exec(plain) ?? [];
  if (word === "") return undefined;
  return word.toLowerCase() === "nan" ? Number.NaN : sign === "-" ? -Infinity : Infinity;
}

export function toInteger(value: Value, fallback: Value, base: Value | undefined): Value {
  if (given(base) && base !== 10) return unsupported("the filter int with a base");
  const direct = toNumber(value);
  if (direct !== undefined) return direct;
  const float = typeof value === "string" ? parseFloatText(value) : undefined;
  return float === undefined || !Number.isFinite(float) ? fallback : toInt(Math.trunc(float));
}

export function toFloat(value: Value, fallback: Value): Value {
  const float = typeof value === "string" ? parseFloatText(value) : numeric(value)?.value;
  if (value instanceof Undefined) return fail(value.hint);
  return float === undefined ? fallback : new Float(float);
}

export function absolute(_run: Run, value: Value): Value {
  const number = numeric(value);
  if (value instanceof Undefined) return fail(value.hint);
  if (!number) return fail(`bad operand type for abs(): '${typeName(value)}'`);
  return number.float ? new Float(Math.abs(number.value)) : Math.abs(number.value);
}

export function round(_run: Run, value: Value, precision: Value = 0, how: Value = "common"): Value {
  if (how !== "common") return unsupported("the filter round with another method than common");
  const digits = asInt(precision);
  const number = numeric(value);
  if (value instanceof Undefined) return fail(value.hint);
  if (!number) return fail(`type ${typeName(value)} doesn't define __round__ method`);
  if (digits < 0) return unsupported("the filter round with a negative precision");
  if (!number.float) return number.value;
  if (!Number.isFinite(number.value) || Math.abs(number.value) >= 2 ** 52) return value;
  return new Float(roundHalfEven(number.value, digits));
}
