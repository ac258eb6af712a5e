// Numbers between bounds, digit by digit.
import {
  choice,
  EMPTY,
  type Expression,
  type Grammar,
  literal,
  NOTHING,
  optional,
  repeat,
  rule,
  sequence,
  set,
} from "../grammar.ts";
import { intersect } from "../intersection.ts";
import { DIGIT, INTEGER, MAX_DIGITS, NUMBER } from "./json-text.ts";

export interface NumberBounds {
  readonly isInteger: boolean;
  /** −Infinity: none. */
  readonly least: number;
  readonly most: number;
  /** Whether the bound itself is left out. */
  readonly aboveLeast: boolean;
  readonly belowMost: boolean;
  /** A whole number. undefined: none. */
  readonly multipleOf: number | undefined;
}

const NO_RULES: ReadonlyMap<string, Expression> = new Map();
const ZEROS = repeat(literal("0"), 0);
const DIGITS = repeat(DIGIT, 0);

/** @param prefix of the names of its rules */
export function numberGrammar(bounds: NumberBounds, prefix: string): Grammar {
  const { least, most, multipleOf } = bounds;
  const isInteger = bounds.isInteger || multipleOf !== undefined;
  let grammar: Grammar = { start: isInteger ? INTEGER : NUMBER, rules: NO_RULES };
  if (least > -Infinity || most < Infinity) {
    const within = between(isInteger ? wholeBounds(bounds) : bounds, prefix);
    grammar = intersect(within, { start: form(isInteger), rules: NO_RULES }, `${prefix} digits`);
  }
  if (multipleOf === undefined || multipleOf === 1) return grammar;
  return intersect(grammar, multiples(multipleOf), `${prefix} multiples`);
}

/** Of a whole number, at most 16 digits; of others at most 15 in all, which a double keeps apart. */
function form(isInteger: boolean): Expression {
  const sign = optional(literal("-"));
  if (isInteger) return sequence(sign, repeat(DIGIT, 1, MAX_DIGITS + 1));
  return sequence(sign, repeat(sequence(DIGIT, optional(literal("."))), 1, MAX_DIGITS));
}

/** The whole numbers within the bounds. Beyond 2^53 − 1 a double keeps no two apart. */
function wholeBounds(bounds: NumberBounds): NumberBounds {
  const floor = Math.floor(bounds.most);
  const ceil = Math.ceil(bounds.least);
  const most = bounds.belowMost && floor === bounds.most ? floor - 1 : floor;
  const least = bounds.aboveLeast && ceil === bounds.least ? ceil + 1 : ceil;
  return {
    ...bounds,
    isInteger: true,
    least: Math.max(least, -Number.MAX_SAFE_INTEGER),
    most: Math.min(most, Number.MAX_SAFE_INTEGER),
    aboveLeast: false,
    belowMost: false,
  };
}

function between({ isInteger, least, most, aboveLeast, belowMost }: NumberBounds, prefix: string): Grammar {
  const positive: Range = [Math.max(least, 0), most, aboveLeast && least >= 0, belowMost];
  // Without zero, which has no sign.
  const negative: Range = [Math.max(-most, 0), -least, most >= 0 || belowMost, aboveLeast];
  const above = magnitude(isInteger, positive, `${prefix} +`);
  const below = magnitude(isInteger, negative, `${prefix} -`);
  return {
    start: choice(above.start, sequence(literal("-"), below.start)),
    rules: new Map([...above.rules, ...below.rules]),
  };
}

type Range = readonly [least: number, most: number, aboveLeast: boolean, belowMost: boolean];

/** Numbers from 0 on, without a sign. */
function magnitude(isInteger: boolean, range: Range, prefix: string): Grammar {
  const [least, most, aboveLeast, belowMost] = range;
  if (most < least || (most === least && (aboveLeast || belowMost)))
    return { start: NOTHING, rules: NO_RULES };
  const low = { start: from(decimal(least), isInteger, aboveLeast), rules: NO_RULES };
  if (most === Infinity) return low;
  return intersect(low, { start: upTo(decimal(most), isInteger, belowMost), rules: NO_RULES }, prefix);
}

/** The digits before and after the point, without zeros at the end. */
function decimal(value: number): { whole: string; fraction: string } {
  const [mantissa = "", exponent = "0"] = value.toExponential().split("e");
  const digits = mantissa.replace(".", "");
  const point = Number(exponent) + 1;
  const padded = point <= 0 ? "0".repeat(1 - point) + digits : digits.padEnd(point, "0");
  const at = Math.max(point, 1);
  return { whole: padded.slice(0, at), fraction: padded.slice(at).replace(/0+$/, "") };
}

type Decimal = ReturnType<typeof decimal>;

const digit = (from: number, to: number): Expression =>
  from > to ? NOTHING : set([[0x30 + from, 0x30 + to]]);

/** Whole numbers of `digits.length` digits that differ first at some digit, in one direction. */
function differing(digits: string, isAbove: boolean): Expression[] {
  return Array.from(digits, (each, i) => {
    const lowest = i === 0 && digits.length > 1 ? 1 : 0;
    const first = isAbove ? digit(Number(each) + 1, 9) : digit(lowest, Number(each) - 1);
    const rest = digits.length - 1 - i;
    return sequence(literal(digits.slice(0, i)), first, repeat(DIGIT, rest, rest));
  });
}

const fractionOf = (part: Expression): Expression => sequence(literal("."), part);
const ANY_FRACTION = optional(fractionOf(repeat(DIGIT, 1)));

function from({ whole, fraction }: Decimal, isInteger: boolean, isAbove: boolean): Expression {
  const tail = isInteger ? EMPTY : ANY_FRACTION;
  const longer = sequence(digit(1, 9), repeat(DIGIT, whole.length, MAX_DIGITS));
  const greater = sequence(choice(...differing(whole, true), longer), tail);
  if (isInteger) return isAbove || fraction ? greater : choice(greater, literal(whole));
  return choice(greater, sequence(literal(whole), fractionFrom(fraction, isAbove)));
}

function fractionFrom(fraction: string, isAbove: boolean): Expression {
  const greater = Array.from(fraction, (each, i) =>
    sequence(literal(fraction.slice(0, i)), digit(Number(each) + 1, 9), DIGITS),
  );
  const more = sequence(ZEROS, digit(1, 9), DIGITS);
  const equal = sequence(literal(fraction), isAbove ? more : fraction ? DIGITS : repeat(DIGIT, 1));
  const none = fraction || isAbove ? NOTHING : EMPTY;
  return choice(none, fractionOf(choice(...greater, equal)));
}

function upTo({ whole, fraction }: Decimal, isInteger: boolean, isBelow: boolean): Expression {
  const tail = isInteger ? EMPTY : ANY_FRACTION;
  const shorter =
    whole.length === 1
      ? NOTHING
      : choice(digit(0, 9), sequence(digit(1, 9), repeat(DIGIT, 0, whole.length - 2)));
  const smaller = sequence(choice(...differing(whole, false), shorter), tail);
  if (isInteger) return isBelow && !fraction ? smaller : choice(smaller, literal(whole));
  return choice(smaller, sequence(literal(whole), fractionUpTo(fraction, isBelow)));
}

function fractionUpTo(fraction: string, isBelow: boolean): Expression {
  const smaller = Array.from(fraction, (each, i) =>
    sequence(literal(fraction.slice(0, i)), digit(0, Number(each) - 1), DIGITS),
  );
  const shorter = Array.from(fraction.slice(1), (_, i) => literal(fraction.slice(0, i + 1)));
  const equal = isBelow ? NOTHING : sequence(literal(fraction), fraction ? ZEROS : repeat(literal("0"), 1));
  const none = isBelow && !fraction ? NOTHING : EMPTY;
  return choice(none, fractionOf(choice(...smaller, ...shorter, equal)));
}

/** Whole numbers by their remainder: one rule for each. */
function multiples(divisor: number): Grammar {
  const name = String;
  const rules = new Map<string, Expression>();
  for (let remainder = 0; remainder < divisor; remainder++) {
    const steps = Array.from({ length: 10 }, (_, value) =>
      sequence(digit(value, value), rule(name((remainder * 10 + value) % divisor))),
    );
    rules.set(name(remainder), choice(...steps, ...(remainder === 0 ? [EMPTY] : [])));
  }
  return { start: sequence(optional(literal("-")), rule(name(0))), rules };
}
