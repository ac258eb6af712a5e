// Parsers of option values. Each throws a UsageError that says what it expected.
import { weightFormatNames } from "../kernels/formats/table.ts";
import type { CacheFormatName, WeightFormatName } from "./engine.ts";
import { UsageError } from "./errors.ts";

const CACHE_FORMATS = ["f32", "f16", "q8"] as const satisfies readonly CacheFormatName[];
// Number() would also accept "", "0x10" and " 1".
const DECIMAL = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

interface Range {
  readonly min?: number;
  readonly max?: number;
  /** The range in words, after "a number" or "a whole number". */
  readonly words?: string;
}

/** A parser of numbers within a range, for the option `flag`. */
export function number(flag: string, { min = -Infinity, max = Infinity, words = "" }: Range = {}) {
  return (text: string): number => {
    const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
    if (Number.isFinite(value) && value >= min && value <= max) return value + 0;
    throw expected(flag, `a number${words && ` ${words}`}`, text);
  };
}

/** A parser of whole numbers within a range, for the option `flag`. */
export function integer(flag: string, { min = 0, max = 2 ** 32 - 1, words = "" }: Range = {}) {
  return (text: string): number => {
    const value = /^[-+]?\d+$/.test(text) ? Number(text) : Number.NaN;
    // + 0 turns -0 into 0.
    if (value >= min && value <= max) return value + 0;
    const range = value > max && !words.includes(`${max}`) ? `up to ${max}` : words;
    throw expected(flag, `a whole number${range && ` ${range}`}`, text);
  };
}

/** A random seed of 32 bits. */
export const randomSeed = (): number => crypto.getRandomValues(new Uint32Array(1))[0] as number;

/** A seed; -1: random, as in llama.cpp and vLLM. */
export function seed(text: string): number {
  const value = integer("--seed", { min: -1, words: "from 0 to 4294967295, or -1 for none" })(text);
  return value === -1 ? randomSeed() : value;
}

/** How many tokens to keep; -1: all, as in vLLM. */
export const topK = (text: string): number =>
  Math.max(0, integer("--top-k", { min: -1, words: "of at least 0, or -1 for all" })(text));

/** `auto` or a weight format. */
export function weights(text: string): "auto" | WeightFormatName {
  const found = ["auto" as const, ...weightFormatNames].find((name) => name === text);
  if (!found) throw expected("--weights", `one of auto, ${weightFormatNames.join(", ")}`, text);
  return found;
}

/** `auto` or a cache format. */
export function cache(text: string): "auto" | CacheFormatName {
  const found = ["auto" as const, ...CACHE_FORMATS].find((name) => name === text);
  if (!found) throw expected("--cache", `one of auto, ${CACHE_FORMATS.join(", ")}`, text);
  return found;
}

/** A weight format, for writing a checkpoint. */
export function storedWeights(text: string): WeightFormatName {
  const found = weightFormatNames.find((name) => name === text);
  if (!found) throw expected("--weights", `one of ${weightFormatNames.join(", ")}`, text);
  return found;
}

/** `id=value`, added to earlier ones. */
export function logitBias(
  text: string,
  before: Readonly<Record<number, number>> = {},
): Record<number, number> {
  const [, id, bias = ""] = /^(\d+)=(.*)$/.exec(text) ?? [];
  const value = DECIMAL.test(bias) ? Number(bias) : Number.NaN;
  if (id === undefined || !(Math.abs(value) <= 1e30)) {
    throw expected("--logit-bias", "a token id and a number, as in 42=-1.5", text);
  }
  return { ...before, [Number(id)]: value };
}

/** A stop string, added to earlier ones. */
export function stop(text: string, before: readonly string[] = []): readonly string[] {
  if (text === "") throw expected("--stop", "at least one character", text);
  return [...before, text];
}

/** Whole numbers of at least 1, separated by commas; each once, in ascending order. */
export function counts(flag: string) {
  return (text: string): readonly number[] => {
    const values = text.split(",").map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : 0));
    if (values.some((value) => value < 1 || value > 1024))
      throw expected(flag, "whole numbers from 1 to 1024, as in 1,2,4,8", text);
    return [...new Set(values)].sort((a, b) => a - b);
  };
}

/** Labels, separated by commas: at least two that differ. */
export function labels(text: string): readonly string[] {
  const values = text.split(",").map((part) => part.trim());
  if (values.length < 2 || values.includes("") || new Set(values).size < values.length)
    throw expected("--labels", "two labels or more that differ, as in spam,work,private", text);
  return values;
}

/** What happens to flagged prompts and answers. */
export function moderation(text: string): "reject" | "flag" {
  if (text !== "reject" && text !== "flag") throw expected("--moderate", "reject or flag", text);
  return text;
}

/** The address of a server; a final /v1 is dropped. */
export function address(flag: string) {
  return (text: string): string => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url && /^https?:$/.test(url.protocol) && !/[?#\s]/.test(text) && url.username + url.password === "")
      return text.replace(/\/*(\/v1)?\/*$/, "");
    throw expected(flag, "an address, as in http://127.0.0.1:8000", text);
  };
}

/** Any text that is not blank. */
export function nonEmpty(flag: string, what: string) {
  return (text: string): string => {
    if (text.trim() === "") throw expected(flag, what, text);
    return text;
  };
}

/** A name: one line of at most 200 characters, no blanks around it. */
export function name(flag: string, what: string) {
  return (text: string): string => {
    if (text.trim() === "" || text !== text.trim() || text.length > 200 || /\p{Cc}/u.test(text))
      throw expected(flag, what, text);
    return text;
  };
}

/** The source of an adapter, the name that it gets, and the scale that it is used with, if one is given. */
export interface AdapterModel {
  readonly name: string;
  readonly source: string;
  readonly scale?: number;
}

/** `NAME=SOURCE`, `NAME:SCALE=SOURCE` or a source alone, added to earlier ones. */
export function adapterModels(text: string, before: readonly AdapterModel[] = []): readonly AdapterModel[] {
  const flag = "--adapter-model";
  // A source may contain = itself, but not before its first slash.
  const [, given, source = text] = /^([^=/\\]*)=(.*)$/s.exec(text) ?? [];
  const [, named = given, scale] = /^(.*):([^:]*)$/s.exec(given ?? "") ?? [];
  if (given !== undefined && source.trim() === "")
    throw expected(flag, "a source after the name, as in pirate=./adapters/pirate", text);
  const last =
    source
      .replace(/@[^/]*$/, "")
      .split(/[/\\]/)
      .findLast((part) => part !== "") ?? "";
  const found = {
    name: name(flag, "a source, or a name and a source as in pirate=./adapters/pirate")(named ?? last),
    source,
    ...(scale !== undefined && {
      scale: number(flag, { min: -1000, max: 1000, words: "from -1000 to 1000 after the name" })(scale),
    }),
  };
  // They become names in an object, which puts whole numbers first: /lora-adapters counts in its order.
  if (/^\d+$/.test(found.name))
    throw expected(flag, "a name that is no whole number, as in pirate=./adapters/pirate", text);
  if (/^\.*$/.test(found.name)) throw expected(flag, "a name before it, as in pirate=.", text);
  if (before.some((each) => each.name === found.name))
    throw expected(flag, `another name than ${found.name}, which an adapter has`, text);
  return [...before, found];
}

/** A value of a repeatable option, added to earlier ones unless it is among them. */
export const oneMore =
  (parse: (text: string) => string) =>
  (text: string, before: readonly string[] = []): readonly string[] => [...new Set([...before, parse(text)])];

/** An error about a value. @param got shown on one line, at most 80 characters of it */
export const expected = (flag: string, what: string, got: string) =>
  new UsageError(
    `${flag}: expected ${what}, got ${JSON.stringify(got.length > 80 ? `${got.slice(0, 80)}…` : got)}`,
  );
