// The `normalizer` section of tokenizer.json.
import { readPattern } from "./split-pattern.ts";
import { type Fields, isFields, refuse } from "./tokenizer-file.ts";

type Normalize = (text: string) => string;

export interface Normalizer {
  readonly normalize: Normalize;
  /** The same, piece by piece where a rule looks at one character at a time. */
  readonly steps: (text: string) => Generator<undefined, string>;
}

const where = "tokenizer.json normalizer";
const todo = "Sirocco does not support this tokenizer.";
const MOST_STEPS = 64;
/** Characters that are normalized between two yields. */
const PIECE = 8192;
const LONGEST_CONTENT = 256;
/** A text may become so many times as long. Marks for blanks, as models have them, double it at most. */
const MOST_GROWTH = 64;
const blank = /\p{White_Space}/u;

interface Step {
  readonly normalize: Normalize;
  /** Times that a text may become longer. */
  readonly growth: number;
  /** It looks at one character at a time: pieces give what the whole gives. */
  readonly isLocal?: boolean;
}

/** Checks the section and compiles it. */
export function readNormalizer(section: unknown): Normalizer {
  const steps = flatten(section ?? undefined, where, "normalizers").map(readStep);
  const growth = steps.reduce((product, step) => product * step.growth, 1);
  if (growth > MOST_GROWTH) refuse(where, `a text at most ${MOST_GROWTH} times as long`, growth, todo);
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
  if (text.length <= PIECE) return normalize(text);
  const pieces: string[] = [];
  for (let start = 0; start < text.length; start += PIECE) {
    pieces.push(normalize(text.slice(start, start + PIECE)));
    yield;
  }
  return pieces.join("");
}

/** The steps of a section, of which a "Sequence" holds several. */
export function flatten(section: unknown, where: string, list: string): Fields[] {
  const steps: Fields[] = [];
  const add = (step: unknown, depth: number) => {
    if (!isFields(step)) refuse(where, "an object or null", step, todo);
    if (step["type"] === "Sequence") {
      const inner = step[list];
      if (!Array.isArray(inner)) refuse(`${where}.${list}`, "a list", inner, todo);
      if (depth === 8) refuse(where, "at most 8 sequences within each other", "more", todo);
      for (const each of inner) add(each, depth + 1);
    } else {
      if (steps.length === MOST_STEPS) refuse(where, `at most ${MOST_STEPS} steps`, "more", todo);
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
      // Whatever is normalized again stays as it is.
      return { normalize: (text) => text.normalize(type), growth: 1 };
    case "Lowercase":
      // Rust looks at no neighbours: a sigma that ends a word is like others.
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
        // replaceAll of a text leaves a string of strings, which whoever reads it first has to join. And a function in place of the
        // content would be called millions of times.
        normalize: (text) =>
          plain === undefined
            ? text.replaceAll(expression, content.replaceAll("$", "$$$$"))
            : text.split(plain).join(content),
        growth: Math.max(1, content.length / shortest),
        // Mistral's blanks. No half of a pair of units is such a pattern, so pairs may be cut.
        isLocal: plain?.length === 1,
      };
    }
    default:
      return refuse(
        `${where}.type`,
        "Prepend, Replace, NFC, NFD, NFKC, NFKD, Lowercase, Strip, StripAccents or Sequence",
        type,
        todo,
      );
  }
}

export function readFlag(step: Fields, name: string, where: string, usual?: boolean): boolean {
  const flag = step[name] ?? usual;
  if (typeof flag !== "boolean") refuse(`${where}.${name}`, "true or false", flag, todo);
  return flag;
}

function readContent(step: Fields, name: string, where: string): string {
  const text = step[name];
  if (typeof text !== "string" || text.length > LONGEST_CONTENT)
    refuse(`${where}.${name}`, `at most ${LONGEST_CONTENT} characters`, text, todo);
  return text;
}

/** No blank is beyond U+FFFF. */
function strip(text: string, left: boolean, right: boolean): string {
  let start = 0;
  let end = text.length;
  while (left && start < end && blank.test(text.charAt(start))) start++;
  while (right && end > start && blank.test(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}
