// Parses regular expressions in JavaScript's syntax with the flag u. What asks for more than the text so far
// (look-around, references, word boundaries) is refused by name.
import {
  ANY,
  type CharacterSet,
  only as code,
  complement,
  DIGITS,
  DOT,
  SPACES,
  union,
  WORDS,
} from "./character-set.ts";
import { choice, type Expression, repeat, sequence, set } from "./grammar.ts";

/** Groups in groups, at most. */
const MAX_DEPTH = 100;
const MAX_LENGTH = 10_000;
const MAX_COUNT = 1000;

const SINGLE: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, 0: 0 };
const CLASSES: Readonly<Record<string, CharacterSet>> = {
  d: DIGITS,
  s: SPACES,
  w: WORDS,
  D: complement(DIGITS),
  S: complement(SPACES),
  W: complement(WORDS),
};
const ANYTHING = repeat(set(ANY), 0);
const SYNTAX = /[\^$\\.*+?()[\]{}|/]/;

/**
 * @param isSearch whether a text belongs to it in which some part matches, as in JSON Schema. Default: the
 * whole text has to match.
 * @throws SyntaxError with the position, what was expected there and what to do
 */
export function parseRegex(source: string, isSearch = false): Expression {
  if (source.length > MAX_LENGTH)
    throw new SyntaxError(`expected at most ${MAX_LENGTH} characters, got ${source.length}. Shorten it.`);
  return new Parser(source, isSearch).parse();
}

class Parser {
  readonly #characters: readonly string[];
  readonly #isSearch: boolean;
  #at = 0;
  #depth = 0;

  constructor(source: string, isSearch: boolean) {
    this.#characters = Array.from(source);
    this.#isSearch = isSearch;
  }

  parse(): Expression {
    this.#at = this.#characters.findIndex((each) => isSurrogate(each.codePointAt(0)!));
    if (this.#at >= 0) throw this.#wrong("a whole character", "Write its code point as \\u{…}.");
    this.#at = 0;
    const expression = this.#choice();
    if (this.#next !== undefined) throw this.#wrong("an end", 'Write "\\)" for the character.');
    return expression;
  }

  get #next(): string | undefined {
    return this.#characters[this.#at];
  }

  #take(text: string): boolean {
    if (!Array.from(text).every((character, i) => this.#characters[this.#at + i] === character)) return false;
    this.#at += text.length;
    return true;
  }

  #choice(): Expression {
    const options = [this.#sequence()];
    while (this.#take("|")) options.push(this.#sequence());
    return choice(...options);
  }

  /** Anchors stand at the ends of the whole only. */
  #sequence(): Expression {
    const isWhole = this.#depth === 0;
    const startsHere = isWhole && this.#take("^");
    let endsHere = false;
    const parts: Expression[] = [];
    for (let next = this.#next; next !== undefined && next !== "|" && next !== ")"; next = this.#next) {
      const after = this.#characters[this.#at + 1];
      endsHere = isWhole && next === "$" && (after === undefined || after === "|");
      if (endsHere) {
        this.#at++;
        break;
      }
      parts.push(this.#repeated());
    }
    if (isWhole && this.#isSearch && !startsHere) parts.unshift(ANYTHING);
    if (isWhole && this.#isSearch && !endsHere) parts.push(ANYTHING);
    return sequence(...parts);
  }

  #repeated(): Expression {
    const part = this.#atom();
    const [least, most] = this.#counts() ?? [1, 1];
    if (least === 1 && most === 1) return part;
    // A lazy one has the same texts.
    this.#take("?");
    if (this.#counts()) throw this.#wrong("one quantifier", "Put the first in a group.", -1);
    return repeat(part, least, most);
  }

  #counts(): [number, number] | undefined {
    if (this.#take("*")) return [0, Infinity];
    if (this.#take("+")) return [1, Infinity];
    if (this.#take("?")) return [0, 1];
    if (!this.#take("{")) return undefined;
    const least = this.#number();
    const most = this.#take(",") ? (this.#next === "}" ? Infinity : this.#number()) : least;
    if (!this.#take("}")) throw this.#wrong('"}"', 'Write "\\{" for the character.');
    if (most < least || least > MAX_COUNT || (most > MAX_COUNT && most < Infinity))
      throw this.#wrong(`counts up to ${MAX_COUNT}, the smaller first`, "Correct them.", -1);
    return [least, most];
  }

  #number(): number {
    const from = this.#at;
    while (/^\d$/.test(this.#next ?? "")) this.#at++;
    if (from === this.#at) throw this.#wrong("a number", 'Write "\\{" for the character.');
    return Number(this.#characters.slice(from, this.#at).join(""));
  }

  #atom(): Expression {
    if (this.#take("(")) return this.#group();
    if (this.#take("[")) return set(this.#class());
    if (this.#take(".")) return set(DOT);
    if (this.#take("\\")) return set(this.#escape(false));
    const next = this.#next ?? "";
    if (next === "^" || next === "$")
      throw this.#wrong("anchors at the ends only", "Leave it out: the whole text has to match.");
    if (SYNTAX.test(next) && next !== "/")
      throw this.#wrong("a character", `Write ${JSON.stringify(`\\${next}`)} for it.`);
    this.#at++;
    return set(only(next));
  }

  #group(): Expression {
    const named = /^\?<[A-Za-z_$][\w$]*>/.exec(this.#characters.slice(this.#at, this.#at + 64).join(""))?.[0];
    if (named) this.#at += named.length;
    else if (!this.#take("?:") && this.#next === "?")
      throw this.#wrong("a group", "Look-around and flags cannot be held to token by token: leave them out.");
    if (++this.#depth > MAX_DEPTH) throw this.#wrong(`at most ${MAX_DEPTH} groups in groups`, "Flatten it.");
    const inner = this.#choice();
    this.#depth--;
    if (!this.#take(")")) throw this.#wrong('")"', "Close the group.");
    return inner;
  }

  #class(): CharacterSet {
    const isNegated = this.#take("^");
    let members: CharacterSet = [];
    while (!this.#take("]")) {
      if (this.#next === undefined) throw this.#wrong('"]"', "Close the class.");
      const from = this.#classPart();
      const isRange = this.#next === "-" && ![undefined, "]"].includes(this.#characters[this.#at + 1]);
      if (!isRange) {
        members = union(members, from);
        continue;
      }
      this.#at++;
      const to = this.#classPart();
      const [low, high] = [single(from), single(to)];
      if (low === undefined || high === undefined || low > high)
        throw this.#wrong("a range from a character to a later one", 'Write "\\-" for the character.', -1);
      members = union(members, [[low, high]]);
    }
    const result = isNegated ? complement(members) : members;
    if (result.length === 0) throw this.#wrong("a class with a character", "Fill it.", -1);
    return result;
  }

  #classPart(): CharacterSet {
    if (this.#take("\\")) return this.#escape(true);
    const next = this.#next;
    if (next === undefined) throw this.#wrong('"]"', "Close the class.");
    this.#at++;
    return only(next);
  }

  #escape(inClass: boolean): CharacterSet {
    const next = this.#next;
    if (next === undefined) throw this.#wrong("a character after the backslash", 'Write "\\\\\\\\" for it.');
    this.#at++;
    const known = Object.hasOwn(CLASSES, next) ? CLASSES[next] : undefined;
    if (known) return known;
    if (next === "0" && /^\d$/.test(this.#next ?? ""))
      throw this.#wrong("no octal escape", "Write \\x and two hexadecimal digits.", -1);
    if (Object.hasOwn(SINGLE, next)) return code(SINGLE[next]!);
    if (inClass && next === "b") return code(8);
    if (inClass && next === "-") return only("-");
    if (next === "x") return code(this.#hex(2));
    if (next === "u") {
      const value = this.#unicode();
      if (isSurrogate(value)) throw this.#wrong("a whole character", "Write its code point as \\u{…}.", -1);
      return code(value);
    }
    if (next === "c" && /^[a-z]$/i.test(this.#next ?? "")) {
      this.#at++;
      return code(this.#characters[this.#at - 1]!.charCodeAt(0) % 32);
    }
    if (SYNTAX.test(next)) return only(next);
    const what = /[1-9k]/.test(next)
      ? "no reference to a group"
      : /[bB]/.test(next)
        ? "no word boundary"
        : /[pP]/.test(next)
          ? "no Unicode property"
          : "a known escape";
    throw this.#wrong(what, "Write the characters that are meant.", -1);
  }

  #unicode(): number {
    if (!this.#take("{")) {
      const high = this.#hex(4);
      if (high < 0xd800 || high > 0xdbff || !this.#take("\\u")) return high;
      const low = this.#hex(4);
      return low >= 0xdc00 && low <= 0xdfff ? 0x10000 + (high - 0xd800) * 0x400 + low - 0xdc00 : 0xd800;
    }
    const from = this.#at;
    while (/^[\da-f]$/i.test(this.#next ?? "")) this.#at++;
    const value = Number.parseInt(this.#characters.slice(from, this.#at).join(""), 16);
    if (!this.#take("}") || !(value <= 0x10ffff))
      throw this.#wrong("\\u{…} with up to 10FFFF in hexadecimal", "Correct it.");
    return value;
  }

  #hex(count: number): number {
    const digits = this.#characters.slice(this.#at, this.#at + count).join("");
    if (digits.length !== count || !/^[\da-f]+$/i.test(digits))
      throw this.#wrong(`${count} hexadecimal digits`, "Correct the escape.");
    this.#at += count;
    return Number.parseInt(digits, 16);
  }

  /** @param shift from the present position to the one to name */
  #wrong(expected: string, advice: string, shift = 0): SyntaxError {
    const at = Math.max(0, this.#at + shift);
    const got = this.#characters[at] === undefined ? "the end" : JSON.stringify(this.#characters[at]);
    return new SyntaxError(`expected ${expected} at character ${at + 1}, got ${got}. ${advice}`);
  }
}

const single = ([range, more]: CharacterSet): number | undefined =>
  range && !more && range[0] === range[1] ? range[0] : undefined;

const only = (character: string): CharacterSet => code(character.codePointAt(0)!);

const isSurrogate = (value: number): boolean => value >= 0xd800 && value <= 0xdfff;
