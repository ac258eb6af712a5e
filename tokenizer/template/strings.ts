// Python's rules for white space, lines, padding and letter case.
import { type Meter, unsupported } from "./meter.ts";
import type { Run } from "./text.ts";
import { characters, lengthOf } from "./values.ts";

const blanks = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const blank = new RegExp(`[${blanks}]`);
const word = new RegExp(`[^${blanks}]+`, "g");

export const isSpace = (unit: string | undefined): boolean => unit !== undefined && blank.test(unit);

/** Pads a text to `width` characters. `align` is "<", ">" or "^" (an odd padding is longer on the right). */
export function pad(run: Run, value: string, width: number, fill: string, align: string): string {
  const room = width - (lengthOf(value) ?? 0);
  if (!(room > 0)) return value;
  run.meter.build(value.length + room * fill.length);
  const left = align === ">" ? room : align === "^" ? Math.floor(room / 2) : 0;
  return fill.repeat(left) + value + fill.repeat(room - left);
}

/** Python's strip, lstrip and rstrip: removes white space, or the characters of `set`. */
export function strip(
  meter: Meter,
  text: string,
  set: string | undefined,
  left = true,
  right = true,
): string {
  meter.read(text.length);
  return stripUncounted(text, set, left, right);
}

/** `strip`, without counting the text. */
export function stripUncounted(text: string, set?: string, left = true, right = true): string {
  const units = set === undefined ? undefined : new Set(set);
  const goes = (unit: string): boolean => (units ? units.has(unit) : isSpace(unit));
  let [start, end] = [0, text.length];
  const at = (i: number): string => String.fromCodePoint(text.codePointAt(i) ?? 0);
  while (left && start < end && goes(at(start))) start += at(start).length;
  while (right && end > start) {
    const low = text.charAt(end - 1);
    const last = /[\udc00-\udfff]/.test(low) && end - 2 >= start ? at(end - 2) : low;
    const unit = last.length === 2 ? last : low;
    if (!goes(unit)) break;
    end -= unit.length;
  }
  return text.slice(start, end);
}

/** Python's split and rsplit without a separator. A limit below 0 means none. */
export function words(meter: Meter, text: string, limit: number, fromRight: boolean): string[] {
  meter.read(text.length);
  const found: { word: string; start: number; end: number }[] = [];
  for (const match of text.matchAll(word)) {
    meter.step();
    found.push({ word: match[0], start: match.index, end: match.index + match[0].length });
  }
  if (limit < 0 || found.length <= limit) return found.map(({ word }) => word);
  // The rest is one piece, stripped only at the end where words were split off.
  if (fromRight) {
    const cut = found.length - limit;
    const rest = text.slice(0, found[cut - 1]?.end ?? 0);
    return [strip(meter, rest, undefined, false, true), ...found.slice(cut).map(({ word }) => word)].filter(
      (piece, i) => i > 0 || piece !== "",
    );
  }
  const rest = text.slice(found[limit]?.start ?? text.length);
  return [...found.slice(0, limit).map(({ word }) => word), rest];
}

export function splitLines(meter: Meter, text: string, keepEnds = false): string[] {
  const lines: string[] = [];
  let start = 0;
  for (const match of text.matchAll(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/g)) {
    meter.step();
    const end = match.index + match[0].length;
    lines.push(text.slice(start, keepEnds ? end : match.index));
    start = end;
  }
  if (start < text.length) lines.push(text.slice(start));
  return lines;
}

/** A character in title case, which is almost always its upper case. */
function titled(unit: string): string {
  const upper = unit.toUpperCase();
  if (upper === unit || unit < "\x80") return upper;
  if (unit === "ß") return "Ss";
  // JavaScript has no title case, so characters in which it differs are refused.
  if (upper.length !== unit.length || /[ǄǆǇǉǊǌǱǳა-ჺჽ-ჿᾀ-ᾯᾳῃῳ]/.test(unit))
    unsupported(`the title case of "${unit}"`);
  return upper;
}

const digraph = /[ǄǅǇǈǊǋǱǲ]/;

export function capitalize(text: string): string {
  const [first = ""] = text;
  if (digraph.test(first)) unsupported(`the title case of "${first}"`);
  return titled(first) + text.slice(first.length).toLowerCase();
}

/** Python's method title: upper case for each letter that does not follow a letter. */
export function titleCase(meter: Meter, text: string): string {
  let inWord = false;
  const units = characters(meter, text).map((unit) => {
    if (!inWord && digraph.test(unit)) unsupported(`the title case of "${unit}"`);
    const result = inWord ? unit.toLowerCase() : titled(unit);
    inWord = /\p{Cased}/u.test(unit);
    return result;
  });
  return units.join("");
}

export function swapCase(meter: Meter, text: string): string {
  return characters(meter, text)
    .map((unit) => (/\p{Uppercase}/u.test(unit) ? unit.toLowerCase() : unit.toUpperCase()))
    .join("");
}

const every =
  (pattern: RegExp) =>
  (text: string): boolean =>
    pattern.test(text);

/** Refuses superscripts and fractions: JavaScript does not know whether Python calls them digits. */
const digits = (pattern: RegExp) => (text: string) =>
  /[\p{No}\p{Nl}]/u.test(text) ? unsupported("the kind of a number that is no digit") : pattern.test(text);

/** Python's methods isalnum, isalpha, and so on. */
export const textTests: Readonly<Record<string, (text: string) => boolean>> = {
  isalnum: digits(/^[\p{L}\p{Nd}]+$/u),
  isalpha: every(/^\p{L}+$/u),
  isascii: every(/^[\0-\x7f]*$/),
  isdecimal: every(/^\p{Nd}+$/u),
  isdigit: digits(/^\p{Nd}+$/u),
  islower: (text) => /\p{Lowercase}/u.test(text) && !/\p{Uppercase}|\p{Lt}/u.test(text),
  isnumeric: digits(/^\p{Nd}+$/u),
  isspace: every(new RegExp(`^[${blanks}]+$`)),
  istitle: (text) => isTitle(text),
  isupper: (text) => /\p{Uppercase}/u.test(text) && !/\p{Lowercase}|\p{Lt}/u.test(text),
};

function isTitle(text: string): boolean {
  let inWord = false;
  let found = false;
  for (const unit of text) {
    const upper = /\p{Uppercase}|\p{Lt}/u.test(unit);
    const cased = upper || /\p{Lowercase}/u.test(unit);
    if (cased && upper === inWord) return false;
    found ||= cased;
    inWord = cased;
  }
  return found;
}

/** The filter title: upper case after white space, "-" or an opening bracket. */
export function titleWords(meter: Meter, text: string): string {
  meter.read(4 * text.length);
  const between = new RegExp(`([-({\\[<${blanks}]+)`);
  return text
    .split(between)
    .map((part) => {
      meter.step();
      const [first = ""] = part;
      return first.toUpperCase() + part.slice(first.length).toLowerCase();
    })
    .join("");
}
