// Regular expressions of tokenizer.json. JavaScript's engine backtracks, so only those whose time is linear are taken.
import { type Fields, isFields, refuse } from "./tokenizer-file.ts";

const LONGEST_STRING = 256;
/** Any of English's short forms, in either case; U+017F is a small s to Unicode. */
const anyCase = "'(?:[sSſ]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])";
const upper = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
const lower = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
const lead = "[^\\r\\n\\p{L}\\p{N}]?";
const short = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const blanks = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const marks = "?[^\\s\\p{L}\\p{N}]+";

/** GPT-2's, which byte-level pre-tokenizers use by themselves. */
export const gpt2Pattern = `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ${marks}|\\s+(?!\\S)|\\s+`;

const cases = (suffix: string) => `${lead}${upper}*${lower}+${suffix}|${lead}${upper}+${lower}*${suffix}`;

/** Of published models. What they try and give up, the next alternative takes. */
const published = new Set([
  gpt2Pattern,
  // Llama 3, and its like with other lengths of numbers: Qwen 2.
  ...["\\p{N}{1,3}", "\\p{N}", "\\p{N}+", "\\p{N}{1,2}"].flatMap((number) => [
    `${short}|${lead}\\p{L}+|${number}| ${marks}[\\r\\n]*|${blanks}`,
    // Tekken, and GPT-4o's with short forms.
    `${cases("")}|${number}| ${marks}[\\r\\n/]*|${blanks}`,
    `${cases(`${short}?`)}|${number}| ${marks}[\\r\\n/]*|${blanks}`,
  ]),
  // DeepSeek 3.
  `[!"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_\`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|${blanks}`,
]);

export interface Pattern {
  /** Global; it matches no empty text. */
  readonly expression: RegExp;
  /** What it looks for, where that is a fixed text. */
  readonly plain: string | undefined;
  /** Characters of the shortest match. */
  readonly shortest: number;
}

/** `{ "String": … }` or `{ "Regex": … }` */
export function readPattern(where: string, pattern: unknown): Pattern {
  const { String: plain, Regex: source }: Fields = isFields(pattern) ? pattern : {};
  if (typeof plain === "string") {
    if (plain === "" || plain.length > LONGEST_STRING)
      refuse(`${where}.pattern.String`, `1 to ${LONGEST_STRING} characters`, plain);
    const expression = new RegExp(plain.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), "gu");
    return { expression, plain, shortest: plain.length };
  }
  if (typeof source !== "string") refuse(`${where}.pattern`, "a String or a Regex", pattern);
  return { expression: compile(`${where}.pattern.Regex`, source), plain: undefined, shortest: 1 };
}

/** Blanks at the very end. Tried at each of them it takes time with the square of their number. */
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
    "a published model's, or alternatives without groups that repeat without bound only at their end",
    source,
    "Other regular expressions could take forever: Sirocco does not support this tokenizer.",
  );
}

/** Oniguruma's classes are Unicode's. */
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
 * Whether a match costs at most the time of what it takes: alternatives of characters and classes, where only the last one of each may
 * be repeated without bound and some character must be there.
 */
function isLinear(source: string): boolean {
  if (source.length > LONGEST_STRING * 4) return false;
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
    const [quantifier = "", least = "1", comma, most] = repeat.exec(source) ?? [];
    at += quantifier.length;
    ended = quantifier === "+" || quantifier === "*" || (comma !== undefined && most === undefined);
    needed ||= quantifier !== "?" && quantifier !== "*" && Number(least) > 0;
    // Each of several optional ones may be there or not.
    if (quantifier === "?" || most !== undefined) steps *= 1 + Number(most ?? 1);
    if (steps > 64) return false;
  }
  return needed;
}
