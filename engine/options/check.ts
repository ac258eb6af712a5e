// Checks the options of public calls against tables before anything runs. Unknown options are refused by
// name.
import { outOfRange, shown, unsupported, wrongType } from "./parameter.ts";

/** The values that one option may have. */
export interface Rule {
  /** "a whole number" */
  readonly expected: string;
  readonly hasType: (value: unknown) => boolean;
  readonly isInRange?: (value: never) => boolean;
}

/** A rule for every option: a new option without a rule does not compile. */
export type Rules<Options> = { readonly [Name in keyof Required<Options>]: Rule };

/**
 * @param call its name in messages: "generate"
 * @throws TypeError for an unknown option or a value of the wrong type, RangeError for a value out of range;
 * each with `parameter`
 */
export function checkOptions(call: string, options: unknown, rules: Readonly<Record<string, Rule>>): void {
  if (options === undefined) return;
  if (!isPlain(options))
    throw wrongType("options", `expected an object of options of ${call}, got ${shown(options)}.`);
  for (const [name, value] of Object.entries(options as object)) {
    if (value === undefined) continue;
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule) checkValue(name, value, rule);
    else throw unknownOption(call, name, Object.keys(rules));
  }
}

function checkValue(name: string, value: unknown, { expected, hasType, isInRange }: Rule): void {
  const got = `expected ${expected}, got ${shown(value)}.`;
  if (!hasType(value)) throw wrongType(name, got);
  if (isInRange && !isInRange(value as never)) throw outOfRange(name, got);
}

function unknownOption(call: string, name: string, known: readonly string[]): TypeError {
  const likely = similar(name, known);
  const advice = likely
    ? `Use ${likely}`
    : known.length > 0
      ? `There are ${known.join(", ")}`
      : "There is none";
  return unsupported(name.slice(0, 60), `${call}: expected no option ${shown(name)}, got one. ${advice}.`);
}

/** Names in other libraries that do not resemble ours. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  npredict: "maxTokens",
  numpredict: "maxTokens",
  nctx: "contextLength",
  numctx: "contextLength",
  repeatpenalty: "repetitionPenalty",
  dtype: "weights",
  quantization: "weights",
};

/**
 * The option that was probably meant: the nearest of those whose letters contain the given ones in order, or
 * the reverse.
 */
export function similar(name: string, known: readonly string[]): string | undefined {
  const letters = (text: string): string => text.toLowerCase().replace(/[^a-z]/g, "");
  const given = letters(name);
  const elsewhere = ELSEWHERE[given];
  if (elsewhere && known.includes(elsewhere)) return elsewhere;
  const near = known.filter((each) => given.length > 2 && isNear(given, letters(each)));
  const distance = (each: string): number => missing(given, letters(each)) + missing(letters(each), given);
  return near.sort((a, b) => distance(a) - distance(b))[0];
}

/** Whether one has all letters of the other, in order; or all but one, if they are about as long. */
const isNear = (a: string, b: string): boolean =>
  missing(a, b) === 0 || missing(b, a) === 0 || (Math.abs(a.length - b.length) < 2 && missing(a, b) < 2);

/** How many letters of `a` are not in `b`, in order. */
function missing(a: string, b: string): number {
  let at = 0;
  let count = 0;
  for (const letter of a) {
    const found = b.indexOf(letter, at);
    if (found < 0) count++;
    else at = found + 1;
  }
  return count;
}

export const isPlain = (value: unknown): boolean =>
  Object.prototype.toString.call(value) === "[object Object]";
const isNumber = (value: unknown): boolean => typeof value === "number";
const has = (value: unknown, ...methods: string[]): boolean =>
  typeof value === "object" &&
  value !== null &&
  methods.every((name) => typeof (value as Record<string, unknown>)[name] === "function");

export const number: Rule = { expected: "a number", hasType: isNumber };
export const text: Rule = { expected: "a text", hasType: (value) => typeof value === "string" };
export const flag: Rule = { expected: "true or false", hasType: (value) => typeof value === "boolean" };
export const callback: Rule = { expected: "a function", hasType: (value) => typeof value === "function" };

export const whole = (least: number, most = Infinity): Rule => ({
  expected:
    most < Infinity
      ? `a whole number from ${least} to ${most}`
      : least === 1
        ? "a positive whole number"
        : `a whole number from ${least} on`,
  hasType: isNumber,
  isInRange: (value: number) => Number.isInteger(value) && value >= least && value <= most,
});

export const oneOf = (names: readonly string[]): Rule => ({
  expected: names.join(", "),
  hasType: text.hasType,
  isInRange: (value: string) => names.includes(value),
});

/** Recognised by methods, not by class: an object of another realm has another class. */
export const object = (expected: string, ...methods: string[]): Rule => ({
  expected,
  hasType: (value) => has(value, ...methods),
});

export const signal = object("an AbortSignal", "addEventListener", "throwIfAborted");

export const stop: Rule = {
  expected: "a text or a list of texts that are not empty",
  hasType: (value) => [value].flat().every(text.hasType),
  isInRange: (value: string | readonly string[]) => ![value].flat().includes(""),
};

/** What it holds is checked when it is compared with the loaded adapters. */
export const adapter: Rule = {
  expected: "the name of an adapter, { name, scale }, or a list of these",
  hasType: (value) => [value].flat().every((each) => text.hasType(each) || isPlain(each)),
};

/** Larger ones would make sums of logits infinite. */
const MAX_BIAS = 1e30;

export const bias: Rule = {
  expected: "an object of finite numbers by token id",
  hasType: (value) => isPlain(value) && Object.values(value as object).every(isNumber),
  isInRange: (value: Readonly<Record<number, number>>) =>
    Object.values(value).every((each) => Math.abs(each) <= MAX_BIAS),
};
