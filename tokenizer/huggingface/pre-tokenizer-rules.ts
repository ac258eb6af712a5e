// The `pre_tokenizer` section of tokenizer.json: splits a text into the words that are encoded one by one.
import { byteAlphabet } from "./byte-alphabet.ts";
import { flatten, readFlag } from "./normalizer-rules.ts";
import { gpt2Pattern, readPattern } from "./split-pattern.ts";
import { type Fields, refuse } from "./tokenizer-file.ts";

/** @param first whether nothing precedes the text */
type Split = (text: string, first: boolean) => Iterable<string>;
export type PreTokenize = Split;

const where = "tokenizer.json pre_tokenizer";
const ADVICE = "Sirocco does not support this tokenizer.";
const encoder = new TextEncoder();
const behaviors = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"] as const;
type Behavior = (typeof behaviors)[number];
/** Runs of Rust's \w, and runs of everything else but white space. */
const wordCharacters = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200c\\u200d";
const words = new RegExp(`[${wordCharacters}]+|[^${wordCharacters}\\p{White_Space}]+`, "gu");
const punctuation = /[\p{P}$+<=>^`|~]/gu;

/** Checks and compiles the section. The words are generated one at a time. @throws TokenizerError */
export function readPreTokenizer(section: unknown): PreTokenize {
  const steps = flatten(section ?? undefined, where, "pretokenizers").map(readStep);
  return function* (text, first) {
    for (const [word] of through(steps, 0, text, first)) yield word;
  };
}

function* through(
  steps: readonly Split[],
  at: number,
  text: string,
  first: boolean,
): Generator<readonly [word: string, first: boolean], void> {
  const step = steps[at];
  if (!step) {
    yield [text, first];
    return;
  }
  let isFirst = first;
  for (const part of step(text, first)) {
    if (part === "") continue;
    yield* through(steps, at + 1, part, isFirst);
    isFirst = false;
  }
}

function readStep(step: Fields): Split {
  const { type } = step;
  switch (type) {
    case "Metaspace":
      return metaspace(step);
    case "ByteLevel":
      return byteLevel(step);
    case "Split":
      return splitBy(
        readPattern(`${where} Split`, step["pattern"]).expression,
        readBehavior(step["behavior"], "Split"),
        readFlag(step, "invert", `${where} Split`, false),
      );
    case "Digits":
      return splitBy(
        /\p{N}/gu,
        readFlag(step, "individual_digits", `${where} Digits`, false) ? "Isolated" : "Contiguous",
      );
    case "Punctuation":
      return splitBy(punctuation, readBehavior(step["behavior"] ?? "Isolated", "Punctuation"));
    case "Whitespace":
      return splitBy(words, "Removed", true);
    case "WhitespaceSplit":
      return splitBy(/\p{White_Space}/gu, "Removed");
    default:
      return refuse(
        `${where}.type`,
        "Metaspace, ByteLevel, Split, Digits, Punctuation, Whitespace, WhitespaceSplit or Sequence",
        type,
        ADVICE,
      );
  }
}

function readBehavior(value: unknown, type: string): Behavior {
  const behavior = behaviors.find((each) => each.toLowerCase() === String(value).toLowerCase());
  return behavior ?? refuse(`${where} ${type}.behavior`, behaviors.join(", "), value, ADVICE);
}

function metaspace(step: Fields): Split {
  const { replacement = "▁", prepend_scheme: given, add_prefix_space: prefix } = step;
  if (typeof replacement !== "string" || Array.from(replacement).length !== 1)
    refuse(`${where} Metaspace.replacement`, "one character", replacement, ADVICE);
  const scheme = given ?? (prefix === false ? "never" : "always");
  if (scheme !== "always" && scheme !== "first" && scheme !== "never")
    refuse(`${where} Metaspace.prepend_scheme`, "always, first or never", scheme, ADVICE);
  if (prefix === false && scheme !== "never")
    refuse(`${where} Metaspace.add_prefix_space`, "the same as prepend_scheme", prefix, ADVICE);
  const mark = replacement === "$" ? "$$" : replacement;
  const split = readFlag(step, "split", `${where} Metaspace`, true);
  const cut = splitBy(readPattern(where, { String: replacement }).expression, "MergedWithNext");
  return (text, first) => {
    let marked = text.replaceAll(" ", mark);
    const wanted = scheme === "always" || (scheme === "first" && first);
    if (wanted && !marked.startsWith(replacement)) marked = replacement + marked;
    return split ? cut(marked, first) : [marked];
  };
}

function byteLevel(step: Fields): Split {
  const prefix = readFlag(step, "add_prefix_space", `${where} ByteLevel`, true);
  const cut = readFlag(step, "use_regex", `${where} ByteLevel`, true)
    ? splitBy(readPattern(where, { Regex: gpt2Pattern }).expression, "Isolated")
    : (text: string) => [text];
  return function* (text, first) {
    for (const word of cut(prefix && !text.startsWith(" ") ? ` ${text}` : text, first)) {
      let spelled = "";
      for (const byte of encoder.encode(word)) spelled += byteAlphabet[byte];
      yield spelled;
    }
  };
}

/**
 * Splits at the matches of the expression. Inverted, the matches are the words and the rest separates them.
 */
function splitBy(expression: RegExp, behavior: Behavior, invert = false): Split {
  return (text) => join(stretches(text, expression, invert), behavior);
}

interface Stretch {
  readonly text: string;
  readonly found: boolean;
}

function* stretches(text: string, expression: RegExp, invert: boolean): Generator<Stretch, void> {
  let start = 0;
  for (const { 0: match, index } of text.matchAll(expression)) {
    if (index > start) yield { text: text.slice(start, index), found: invert };
    yield { text: match, found: !invert };
    start = index + match.length;
  }
  if (start < text.length) yield { text: text.slice(start), found: invert };
}

function* join(stretches: Iterable<Stretch>, behavior: Behavior): Generator<string, void> {
  let held = "";
  let before: boolean | undefined;
  for (const { text, found } of stretches) {
    const joins =
      (behavior === "Contiguous" && found === before) ||
      (behavior === "MergedWithPrevious" && found && before === false) ||
      (behavior === "MergedWithNext" && !found && before === true);
    if (!joins && held !== "") {
      yield held;
      held = "";
    }
    if (!(behavior === "Removed" && found)) held += text;
    before = found;
  }
  if (held !== "") yield held;
}
