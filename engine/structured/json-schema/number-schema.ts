// The numbers of a schema.
import { type Expression, NOTHING } from "../grammar.ts";
import type { Compiler } from "./compiler.ts";
import { INTEGER, NUMBER } from "./json-text.ts";
import { readNumber, wrong } from "./keywords.ts";
import { type NumberBounds, numberGrammar } from "./numbers.ts";
import { keyOf, type ObjectPart } from "./schema-part.ts";

/** Remainders that are counted, at most. */
const MAX_DIVISOR = 1000;

export function numberText(parts: readonly ObjectPart[], isInteger: boolean, compiler: Compiler): Expression {
  const bounds = boundsOf(parts, isInteger);
  if (bounds.least > bounds.most) return NOTHING;
  if (bounds.least === -Infinity && bounds.most === Infinity && bounds.multipleOf === undefined)
    return isInteger ? INTEGER : NUMBER;
  const { start, rules } = numberGrammar(bounds, `${keyOf(parts)} ${isInteger ? "integer" : "number"}`);
  compiler.add(rules);
  return start;
}

function boundsOf(parts: readonly ObjectPart[], isInteger: boolean): NumberBounds {
  let [least, aboveLeast] = [-Infinity, false];
  let [most, belowMost] = [Infinity, false];
  let multipleOf: number | undefined;
  for (const { schema, path } of parts) {
    for (const name of ["minimum", "exclusiveMinimum"]) {
      const value = readNumber(schema, name, path) ?? -Infinity;
      if (value > least || (value === least && name !== "minimum"))
        [least, aboveLeast] = [value, name !== "minimum" && value > -Infinity];
    }
    for (const name of ["maximum", "exclusiveMaximum"]) {
      const value = readNumber(schema, name, path) ?? Infinity;
      if (value < most || (value === most && name !== "maximum"))
        [most, belowMost] = [value, name !== "maximum" && value < Infinity];
    }
    const divisor = readNumber(schema, "multipleOf", path);
    if (divisor === undefined) continue;
    if (!(Number.isInteger(divisor) && divisor >= 1 && divisor <= MAX_DIVISOR))
      throw wrong(path, "multipleOf", `a whole number from 1 to ${MAX_DIVISOR}`, divisor);
    multipleOf = leastCommon(multipleOf ?? 1, divisor);
    if (multipleOf > MAX_DIVISOR)
      throw wrong(path, "multipleOf", `a common multiple up to ${MAX_DIVISOR}`, divisor);
  }
  return { isInteger, least, most, aboveLeast, belowMost, multipleOf };
}

function leastCommon(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y > 0) [x, y] = [y, x % y];
  return (a / x) * b;
}
