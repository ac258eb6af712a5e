import { unsupported } from "./meter.ts";
import { asInt, type Value } from "./values.ts";

/** round(value, digits): half to even, judged by the exact value. */
export function roundHalfEven(value: number, digits: number): number {
  return Number(fixed(value, digits));
}

/** The value with this many digits behind the point, as Python's "%.2f" writes it. */
export function fixed(value: number, digits: number): string {
  if (Math.abs(value) >= 1e21 || digits > 60) return unsupported("a float of so many digits");
  const up = value.toFixed(digits);
  const exact = value.toFixed(100);
  const rest = exact.slice(exact.indexOf(".") + 1 + digits);
  if (!/^50*$/.test(rest) || Number(up.at(-1)) % 2 === 0) return Object.is(value, -0) ? `-${up}` : up;
  // A tie: toFixed took the one further from zero, Python takes the even one.
  const cut = exact.slice(0, exact.indexOf(".") + (digits === 0 ? 0 : 1 + digits));
  return cut;
}

/** Integer argument of a method or filter; `undefined` where the template gave none. */
export function intArgument(value: Value | undefined, fallback: number): number {
  return value === undefined ? fallback : asInt(value);
}
