// The `normalizer` section of tokenizer.json.
import { readPattern } from "./split-pattern.ts";
import { type Fields, isFields, refuse } from "./tokenizer-file.ts";

type Normalize = (text: string) => string;

export interface Normalizer {
  readonly normalize: Normalize;
  /** `normalize` in steps: rules that look at one character at a time go through the text in pieces. */
  readonly steps: (text: string) => Generator<undefined, string>;
}

const where = "tokenizer.json normalizer";
const ADVICE = "Sirocco does not support this tokenizer.";
const MAX_STEPS = 64;
/** Characters normalized between two yields. */
const PIECE_LENGTH = 8192;
const MAX_CONTENT_LENGTH = 256;
/** A text may become this many times as long. The rules of published models at most double it. */
const MAX_GROWTH = 64;
const space = /\p{White_Space}/u;

interface Step {
  readonly normalize: Normalize;
  /** The result is at most this many times as long. */
  readonly growth: number;
  /** The rule looks at one character at a time, so a text can be normalized in pieces. */
  readonly isLocal?: boolean;
}

/** Checks and compiles the section. @throws TokenizerError if it is not supported */
export function readNormalizer(section: unknown): Normalizer {
  const steps = flatten(section ?? undefined, where, "normalizers").map(readStep);
  const growth = steps.reduce((product, step) => product * step.growth, 1);
  if (growth > MAX_GROWTH) refuse(where, `a text at most ${MAX_GROWTH} times as long`, growth, ADVICE);
  return {
    normalize: (text) => steps.reduce((sofar, { normalize }) => normalize(sofar), text),
    *steps(text) {
      let sofar = text;
      for (const { normalize, isLocal } of steps)
        sofar = isLocal ? yield* inPieces(sofar, normalize) : normalize(sofar);
      return sofar;
    },
  };
}

function* inPieces(text: string, normalize: Normalize): Generator<undefined, string> {
  if (text.length <= PIECE_LENGTH) return normalize(text);
  const pieces: string[] = [];
  for (let start = 0; start < text.length; start += PIECE_LENGTH) {
    pieces.push(normalize(text.slice(start, start + PIECE_LENGTH)));
    yield;
  }
  return pieces.join("");
}

/**
 * The steps of a section as one list: "Sequence" steps are replaced by what they contain.
 * @param list the field of a "Sequence" that has its steps
 */
export function flatten(section: unknown, where: string, list: string): Fields[] {
  const steps: Fields[] = [];
  const add = (step: unknown, depth: number) => {
    if (!isFields(step)) refuse(where, "an object or null", step, ADVICE);
    if (step["type"] === "Sequence") {
      const inner = step[list];
      if (!Array.isArray(inner)) refuse(`${where}.${list}`, "a list", inner, ADVICE);
      if (depth === 8) refuse(where, "at most 8 nested sequences", "more", ADVICE);
      for (const each of inner) add(each, depth + 1);
    } else {
      if (steps.length === MAX_STEPS) refuse(where, `at most ${MAX_STEPS} steps`, "more", ADVICE);
      steps.push(step);
    }
  };
  if (section !== undefined) add(section, 0);
  return steps;
}

function readStep(step: Fields): Step {
  const { type } = step;
  switch (type) {
    case "NFC":
    case "NFD":
    case "NFKC":
    case "NFKD":
      // Not bounded by `growth`: normalizing again changes nothing, so repeated steps do not multiply.
      return { normalize: (text) => text.normalize(type), growth: 1 };
    case "Lowercase":
      // Rust lowercases each character by itself; JavaScript has another sigma at the end of a word.
      return { normalize: (text) => text.replaceAll("Σ", "σ").toLowerCase(), growth: 1 };
    case "StripAccents":
      return { normalize: (text) => text.replace(/\p{M}/gu, ""), growth: 1 };
    case "Strip": {
      const left = readFlag(step, "strip_left", `${where} Strip`);
      const right = readFlag(step, "strip_right", `${where} Strip`);
      return { normalize: (text) => strip(text, left, right), growth: 1 };
    }
    case "Prepend": {
      const prefix = readContent(step, "prepend", `${where} Prepend`);
      return { normalize: (text) => (text === "" ? "" : prefix + text), growth: 1 + prefix.length };
    }
    case "Replace": {
      const { expression, plain, shortest } = readPattern(`${where} Replace`, step["pattern"]);
      const content = readContent(step, "content", `${where} Replace`);
      return {
        // Not replaceAll for a plain text: it returns a rope of strings, and the next reader must flatten it.
        // With a function as replacement it would call that millions of times.
        normalize: (text) =>
          plain === undefined
            ? text.replaceAll(expression, content.replaceAll("$", "$$$$"))
            : text.split(plain).join(content),
        growth: Math.max(1, content.length / shortest),
        // One code unit, such as Mistral's space: the result is the same if a piece ends inside a pair.
        isLocal: plain?.length === 1,
      };
    }
    default:
      return refuse(
        `${where}.type`,
        "Prepend, Replace, NFC, NFD, NFKC, NFKD, Lowercase, Strip, StripAccents or Sequence",
        type,
        ADVICE,
      );
  }
}

/** @param fallback the value of a missing flag; without it the flag is required */
export function readFlag(step: Fields, name: string, where: string, fallback?: boolean): boolean {
  const flag = step[name] ?? fallback;
  if (typeof flag !== "boolean") refuse(`${where}.${name}`, "true or false", flag, ADVICE);
  return flag;
}

function readContent(step: Fields, name: string, where: string): string {
  const text = step[name];
  if (typeof text !== "string" || text.length > MAX_CONTENT_LENGTH)
    refuse(`${where}.${name}`, `at most ${MAX_CONTENT_LENGTH} characters`, text, ADVICE);
  return text;
}

/** All white space is below U+10000: one code unit each. */
function strip(text: string, left: boolean, right: boolean): string {
  let start = 0;
  let end = text.length;
  while (left && start < end && space.test(text.charAt(start))) start++;
  while (right && end > start && space.test(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}
