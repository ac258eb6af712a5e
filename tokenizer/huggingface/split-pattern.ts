// The regular expressions of tokenizer.json. JavaScript's engine backtracks, so only patterns with linear
// time are accepted.
import { type Fields, isFields, refuse } from "./tokenizer-file.ts";

const MAX_PATTERN_LENGTH = 256;
/** English contractions in either case. U+017F is a lower-case s in Unicode's case folding. */
const anyCase = "'(?:[sSſ]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])";
const upper = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
const lower = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
const lead = "[^\\r\\n\\p{L}\\p{N}]?";
const short = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const blanks = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const marks = "?[^\\s\\p{L}\\p{N}]+";

/** GPT-2's pattern: the default of byte-level pre-tokenizers. */
export const gpt2Pattern = `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ${marks}|\\s+(?!\\S)|\\s+`;

const cases = (suffix: string) => `${lead}${upper}*${lower}+${suffix}|${lead}${upper}+${lower}*${suffix}`;

/** Patterns of published models. Linear: what a failed alternative has tried, the next one matches. */
const published = new Set([
  gpt2Pattern,
  // A step of llama.cpp's default.
  gpt2Pattern.slice(0, -4),
  // Llama 3, and variants with other lengths of numbers, such as Qwen 2.
  ...["\\p{N}{1,3}", "\\p{N}", "\\p{N}+", "\\p{N}{1,2}"].flatMap((number) => [
    `${short}|${lead}\\p{L}+|${number}| ${marks}[\\r\\n]*|${blanks}`,
    // Tekken, and GPT-4o with contractions.
    `${cases("")}|${number}| ${marks}[\\r\\n/]*|${blanks}`,
    `${cases(`${short}?`)}|${number}| ${marks}[\\r\\n/]*|${blanks}`,
  ]),
  // DeepSeek 3.
  `[!"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_\`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|${blanks}`,
]);

export interface Pattern {
  /** Has the flags g and u, and never matches an empty text. */
  readonly expression: RegExp;
  /** The text it matches, if the pattern is a fixed text. */
  readonly plain: string | undefined;
  /** Length of the shortest match, in characters. */
  readonly shortest: number;
}

/**
 * Reads `{ "String": … }` or `{ "Regex": … }`.
 * @throws TokenizerError for a pattern that may not be linear
 */
export function readPattern(where: string, pattern: unknown): Pattern {
  const { String: plain, Regex: source }: Fields = isFields(pattern) ? pattern : {};
  if (typeof plain === "string") {
    if (plain === "" || plain.length > MAX_PATTERN_LENGTH)
      refuse(`${where}.pattern.String`, `1 to ${MAX_PATTERN_LENGTH} characters`, plain);
    const expression = new RegExp(plain.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), "gu");
    return { expression, plain, shortest: plain.length };
  }
  if (typeof source !== "string") refuse(`${where}.pattern`, "a String or a Regex", pattern);
  return { expression: compile(`${where}.pattern.Regex`, source), plain: undefined, shortest: 1 };
}

/** White space at the end of a text. Without the lookbehind in `compile`, a long run takes quadratic time. */
const atEnd = "\\s+$";

function compile(where: string, source: string): RegExp {
  try {
    if (source === atEnd) return new RegExp(translate(`(?<!\\s)${atEnd}`), "gu");
    if (published.has(source) || isLinear(source)) return new RegExp(translate(source), "gu");
  } catch {
    // Refused below.
  }
  return refuse(
    where,
    "a published model's pattern, or alternatives without groups and with an unbounded repeat only at their end",
    source,
    "Other patterns may take exponential time: Sirocco does not support this tokenizer.",
  );
}

/** Oniguruma's \s and \d are Unicode classes; JavaScript's are not. */
const translate = (source: string): string =>
  source
    .replaceAll(short, anyCase.startsWith("'") ? `(?:${anyCase})` : anyCase)
    .replaceAll("\\s", "\\p{White_Space}")
    .replaceAll("\\S", "\\P{White_Space}")
    .replaceAll("\\d", "\\p{Nd}");

const atom =
  /\\[pP]\{\w+\}|\\[sSdrnt]|\\[\\^$.*+?()[\]{}|/-]|\[\^?(?:\\[pP]\{\w+\}|\\[sSdrnt]|\\[\\^$.*+?()[\]{}|/-]|[^\\[\]&])+\]|[^\\^$.*+?()[\]{}|]/uy;
const repeat = /\?|[+*]|\{(\d{1,2})(,(\d{1,2})?)?\}/y;

/**
 * Whether matching takes time linear in the text: alternatives of characters and classes, each with at least
 * one required character, and with an unbounded repeat only at its end.
 */
function isLinear(source: string): boolean {
  if (source.length > MAX_PATTERN_LENGTH * 4) return false;
  let ended = false;
  let needed = false;
  let steps = 1;
  for (let at = 0; at < source.length; ) {
    if (source[at] === "|") {
      if (!needed) return false;
      ended = false;
      needed = false;
      at++;
      continue;
    }
    atom.lastIndex = at;
    if (ended || !atom.test(source)) return false;
    at = atom.lastIndex;
    repeat.lastIndex = at;
    const [quantifier = "", min = "1", comma, max] = repeat.exec(source) ?? [];
    at += quantifier.length;
    ended = quantifier === "+" || quantifier === "*" || (comma !== undefined && max === undefined);
    needed ||= quantifier !== "?" && quantifier !== "*" && Number(min) > 0;
    // The engine may try every combination of the optional characters.
    if (quantifier === "?" || max !== undefined) steps *= 1 + Number(max ?? 1);
    if (steps > 64) return false;
  }
  return needed;
}
