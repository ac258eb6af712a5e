// Python's arithmetic operators on numbers, texts and lists.
import { percentFormat } from "./format.ts";
import { fail, type Meter, unsupported } from "./meter.ts";
import type { Run } from "./text.ts";
import {
  Float,
  isList,
  type Numeric,
  numeric,
  Safe,
  Tuple,
  toInt,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

const arithmetic: Readonly<Record<string, (a: number, b: number, float: boolean) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "//": floorDivide,
  "%": modulo,
};

export function binary(run: Run, operator: string, a: Value, b: Value): Value {
  for (const side of [a, b]) {
    if (side instanceof Safe) unsupported(`"${operator}" with a safe text`);
  }
  if (operator === "%" && typeof a === "string") return percentFormat(run, a, b);
  const [m, n] = [numeric(a), numeric(b)];
  if (m && n) return calculate(operator, m, n);
  const result =
    operator === "+" ? add(run.meter, a, b) : operator === "*" ? repeat(run.meter, a, b) : undefined;
  if (result !== undefined) return result;
  for (const side of [a, b]) if (side instanceof Undefined) return fail(side.hint);
  return fail(`unsupported operand type(s) for ${operator}: '${typeName(a)}' and '${typeName(b)}'`);
}

function calculate(operator: string, { value: a, float }: Numeric, right: Numeric): Value {
  const b = right.value;
  const float2 = float || right.float;
  if (operator === "**") return power(a, b, float2);
  if (b === 0 && (operator === "/" || operator === "//" || operator === "%")) fail("division by zero");
  if (operator === "/") return new Float(a / b);
  const result = arithmetic[operator]?.(a, b, float2) ?? Number.NaN;
  return float2 ? new Float(result) : toInt(result);
}

function modulo(a: number, b: number): number {
  const rest = a % b;
  if (rest === 0) return Object.is(b, -0) || b < 0 ? -0 : 0;
  return rest < 0 !== b < 0 ? rest + b : rest;
}

function floorDivide(a: number, b: number, float: boolean): number {
  const quotient = (a - (a % b)) / b - (a % b !== 0 && a % b < 0 !== b < 0 ? 1 : 0);
  if (!float) return quotient;
  if (quotient === 0) return a / b < 0 || Object.is(a / b, -0) ? -0 : 0;
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

function power(a: number, b: number, float: boolean): Value {
  if (a === 0 && b < 0) fail("0.0 cannot be raised to a negative power");
  if (a < 0 && !Number.isInteger(b)) unsupported("a complex number");
  // In JavaScript 1 ** nan is NaN, in Python 1.
  const result = a === 1 || b === 0 ? 1 : exactPower(a, b, float);
  if (!float && b >= 0) return toInt(result);
  if (!Number.isFinite(result) && Number.isFinite(a) && Number.isFinite(b))
    fail("Numerical result out of range");
  return new Float(result);
}

/** JavaScript may round powers differently from Python. Refuses powers that are rounded more than once. */
function exactPower(a: number, b: number, float: boolean): number {
  if (!Number.isFinite(a) || !Number.isFinite(b) || a === 0) return a ** b;
  if (b === 1) return a;
  if (b === 2) return a * a;
  if (b === -1) return 1 / a;
  const whole = a ** Math.abs(b);
  if (Number.isInteger(a) && Number.isInteger(b)) {
    if (Number.isSafeInteger(whole)) return b > 0 ? whole : 1 / whole;
    // toInt refuses it, as every int beyond 2^53.
    if (b > 0 && !float) return whole;
  }
  return unsupported("a power that is rounded");
}

function add(meter: Meter, a: Value, b: Value): Value | undefined {
  if (typeof a === "string" && typeof b === "string") {
    meter.build(a.length + b.length);
    return a + b;
  }
  if (isList(a) && isList(b)) {
    meter.step(a.length + b.length);
    return [...a, ...b];
  }
  if (!(a instanceof Tuple && b instanceof Tuple)) return undefined;
  meter.step(a.items.length + b.items.length);
  return new Tuple([...a.items, ...b.items]);
}

function repeat(meter: Meter, a: Value, b: Value): Value | undefined {
  if (numeric(a)) return numeric(b) ? undefined : repeat(meter, b, a);
  if (typeof b !== "number" && typeof b !== "boolean") return undefined;
  const times = Math.max(0, Number(b));
  if (typeof a === "string") {
    meter.build(a.length * times);
    return times === 0 || a === "" ? "" : a.repeat(times);
  }
  const items = a instanceof Tuple ? a.items : a;
  if (!isList(items)) return undefined;
  meter.step(items.length * times);
  const result = items.length === 0 ? [] : Array.from({ length: times }, () => items).flat();
  return a instanceof Tuple ? new Tuple(result) : result;
}

export function negate(value: Value, sign: 1 | -1): Value {
  const number = numeric(value);
  if (number) return number.float ? new Float(sign * number.value) : sign * number.value + 0;
  if (value instanceof Undefined) return fail(value.hint);
  return fail(`bad operand type for unary ${sign < 0 ? "-" : "+"}: '${typeName(value)}'`);
}
