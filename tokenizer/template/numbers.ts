import { unsupported } from "./meter.ts";
import { asInt, type Value } from "./values.ts";

/** Python's round(value, digits): ties of the exact value go to the even digit. */
export function roundHalfEven(value: number, digits: number): number {
  return Number(fixed(value, digits));
}

/** The value with this many decimals, as Python's "%.2f" formats it. */
export function fixed(value: number, digits: number): string {
  if (Math.abs(value) >= 1e21 || digits > 60) return unsupported("a float of so many digits");
  const up = value.toFixed(digits);
  const exact = value.toFixed(100);
  const rest = exact.slice(exact.indexOf(".") + 1 + digits);
  if (!/^50*$/.test(rest) || Number(up.at(-1)) % 2 === 0) return Object.is(value, -0) ? `-${up}` : up;
  // A tie: toFixed rounds away from zero, Python to the even digit.
  const cut = exact.slice(0, exact.indexOf(".") + (digits === 0 ? 0 : 1 + digits));
  return cut;
}

/** An optional integer argument of a method or filter. */
export function intArgument(value: Value | undefined, fallback: number): number {
  return value === undefined ? fallback : asInt(value);
}
