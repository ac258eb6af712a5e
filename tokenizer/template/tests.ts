// The tests of jinja2: `value is name(args)`.
import { compare, contains, equal } from "./compare.ts";
import { fail, unsupported } from "./meter.ts";
import { binary } from "./operators.ts";
import { textTests } from "./strings.ts";
import { type Run, text } from "./text.ts";
import {
  Dict,
  Float,
  isList,
  type Keywords,
  numeric,
  Range,
  Safe,
  Stream,
  Thing,
  Tuple,
  Undefined,
  type Value,
  View,
} from "./values.ts";

type Test = (run: Run, value: Value, other: Value) => boolean;

export function applyTest(
  run: Run,
  name: string,
  value: Value,
  args: readonly Value[],
  keywords: Keywords,
): boolean {
  run.meter.step();
  const test = tests[name] ?? unsupported(`the test "${name.slice(0, 60)}"`);
  if (keywords.size > 0) unsupported(`the test "${name}" with named arguments`);
  if (args.length !== test.length - 2) {
    fail(`the test "${name}" takes ${test.length - 2} arguments, got ${args.length}`);
  }
  return test(run, value, args[0] ?? null);
}

export const hasTest = (name: string): boolean => Object.hasOwn(tests, name);

const ordered =
  (operator: string, holds: (order: number) => boolean): Test =>
  (run, value, other) =>
    holds(compare(run.meter, value, other, operator));

const same: Test = (run, value, other) => equal(run.meter, value, other);
const differs: Test = (run, value, other) => !equal(run.meter, value, other);
const less = ordered("<", (order) => order < 0);
const atMost = ordered("<=", (order) => order <= 0);
const more = ordered(">", (order) => order > 0);
const atLeast = ordered(">=", (order) => order >= 0);

const isText = (value: Value): boolean => typeof value === "string" || value instanceof Safe;
const isSequence = (value: Value): boolean =>
  isText(value) ||
  isList(value) ||
  value instanceof Tuple ||
  value instanceof Dict ||
  value instanceof Range ||
  value instanceof Undefined;

const rest = (run: Run, value: Value, divisor: Value): Value => {
  if (typeof value === "string" || value instanceof Safe) unsupported("a test for divisibility of a text");
  return binary(run, "%", value, divisor);
};

const tests: Readonly<Record<string, Test>> = {
  __proto__: null as never,
  boolean: (_run, value) => typeof value === "boolean",
  callable: (_run, value) =>
    value instanceof Undefined || (value instanceof Thing && value.call !== undefined),
  defined: (_run, value) => !(value instanceof Undefined),
  divisibleby: (run, value, divisor) => numeric(rest(run, value, divisor))?.value === 0,
  escaped: (_run, value) => value instanceof Safe,
  even: (run, value) => numeric(rest(run, value, 2))?.value === 0,
  false: (_run, value) => value === false,
  float: (_run, value) => value instanceof Float,
  in: (run, value, container) => contains(run.meter, container, value),
  integer: (_run, value) => typeof value === "number",
  iterable: (_run, value) => isSequence(value) || value instanceof View || value instanceof Stream,
  lower: (run, value) => textTests["islower"]?.(text(run, value)) ?? false,
  mapping: (_run, value) => value instanceof Dict,
  none: (_run, value) => value === null,
  number: (_run, value) => numeric(value) !== undefined,
  odd: (run, value) => numeric(rest(run, value, 2))?.value === 1,
  sameas: (_run, value, other) => {
    if (typeof value === typeof other && (typeof value === "string" || typeof value === "number")) {
      return unsupported('the test "sameas" between two texts or numbers');
    }
    return value === other;
  },
  sequence: (_run, value) => isSequence(value),
  string: (_run, value) => isText(value),
  true: (_run, value) => value === true,
  undefined: (_run, value) => value instanceof Undefined,
  upper: (run, value) => textTests["isupper"]?.(text(run, value)) ?? false,
  eq: same,
  equalto: same,
  "==": same,
  ne: differs,
  "!=": differs,
  lt: less,
  lessthan: less,
  "<": less,
  le: atMost,
  "<=": atMost,
  gt: more,
  greaterthan: more,
  ">": more,
  ge: atLeast,
  ">=": atLeast,
};
