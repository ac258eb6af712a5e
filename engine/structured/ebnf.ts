// Parses grammars in EBNF, as xgrammar and llama.cpp (GBNF) write them: `name ::= …` rules with texts in
// quotes, classes of characters, groups, `|`, `*`, `+`, `?`, `{m,n}` and `#` comments. The first is `root`.
import { ANY, type CharacterSet, complement, only, union } from "./character-set.ts";
import { choice, type Expression, type Grammar, literal, repeat, rule, sequence, set } from "./grammar.ts";

const MAX_LENGTH = 100_000;
/** Groups in groups, at most. */
const MAX_DEPTH = 100;
const MAX_COUNT = 10_000;
const START = "root";
const NAME = /[A-Za-z_][\w.-]*/y;
const BLANKS = /(?:[ \t]|#[^\n\r]*)*/y;
const LINES = /(?:\s|#[^\n\r]*)*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  ...{ n: "\n", r: "\r", t: "\t", "\\": "\\", '"': '"', "'": "'", "[": "[", "]": "]", "-": "-", "^": "^" },
};
const HEX: Readonly<Record<string, RegExp>> = {
  x: /[\dA-Fa-f]{2}/y,
  u: /[\dA-Fa-f]{4}|\{[\dA-Fa-f]{1,6}\}/y,
  U: /[\dA-Fa-f]{8}/y,
};

/** @throws SyntaxError with the line, what was expected there and what to do */
export function parseGrammar(source: string): Grammar {
  if (source.length > MAX_LENGTH)
    throw new SyntaxError(`expected at most ${MAX_LENGTH} characters, got ${source.length}. Shorten it.`);
  if (/\p{Surrogate}/u.test(source))
    throw new SyntaxError("expected whole characters, got half of one. Correct it.");
  return new Parser(source).parse();
}

class Parser {
  readonly #source: string;
  readonly #rules = new Map<string, Expression>();
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Grammar {
    for (this.#skip(LINES); this.#at < this.#source.length; this.#skip(LINES)) {
      const name = this.#match(NAME);
      if (name === undefined) throw this.#wrong("a rule: name ::= …", "Begin it with its name.");
      if (this.#rules.has(name)) throw this.#wrong(`one rule "${name}"`, "Join its options with |.");
      this.#skip(BLANKS);
      if (!this.#take("::=")) throw this.#wrong('"::="', "Write name ::= …");
      this.#skip(LINES);
      this.#rules.set(name, this.#choice());
      if (this.#at < this.#source.length && !/[\n\r]/.test(this.#source[this.#at]!))
        throw this.#wrong("the end of the rule", "Begin the next rule on a line of its own.");
    }
    if (!this.#rules.has(START))
      throw new SyntaxError(`expected a rule "${START}", got none. Name the first rule so.`);
    return { start: rule(START), rules: this.#rules };
  }

  #choice(): Expression {
    const options = [this.#sequence()];
    for (this.#skipBefore("|"); this.#take("|"); this.#skipBefore("|")) {
      this.#skip(LINES);
      options.push(this.#sequence());
    }
    return choice(...options);
  }

  /** An option may go on after a line break: the next line begins with "|". */
  #skipBefore(text: string): void {
    const from = this.#at;
    this.#skip(LINES);
    if (!this.#source.startsWith(text, this.#at)) this.#at = from;
  }

  #sequence(): Expression {
    const parts: Expression[] = [];
    for (this.#blanks(); ; this.#blanks()) {
      const next = this.#source[this.#at];
      if (next === undefined || /[\n\r|)]/.test(next)) return sequence(...parts);
      parts.push(this.#repeated());
    }
  }

  /** In a group, lines do not end the rule. */
  #blanks(): void {
    this.#skip(this.#depth > 0 ? LINES : BLANKS);
  }

  #repeated(): Expression {
    const part = this.#atom();
    const next = this.#source[this.#at];
    if (next === undefined || !"*+?{".includes(next)) return part;
    this.#at++;
    if (next !== "{") return repeat(part, next === "+" ? 1 : 0, next === "?" ? 1 : Infinity);
    const counts = this.#match(/\s*\d{1,6}\s*(?:,\s*(?:\d{1,6})?\s*)?\}/y);
    const [least = "", most] =
      counts
        ?.slice(0, -1)
        .split(",")
        .map((each) => each.trim()) ?? [];
    const [from, to] = [
      Number(least),
      most === undefined ? Number(least) : most === "" ? Infinity : Number(most),
    ];
    if (!counts || to < from || from > MAX_COUNT)
      throw this.#wrong(`{m}, {m,} or {m,n} with counts up to ${MAX_COUNT}`, "Correct it.");
    return repeat(part, from, to);
  }

  #atom(): Expression {
    if (this.#take('"')) return this.#text();
    if (this.#take("[")) return set(this.#class());
    if (this.#take("(")) return this.#group();
    if (this.#take(".")) return set(ANY);
    const name = this.#match(NAME);
    if (name !== undefined) return rule(name);
    throw this.#wrong('a text in quotes, [a-z], a group, "." or the name of a rule', "Put texts in quotes.");
  }

  #text(): Expression {
    let text = "";
    while (!this.#take('"')) text += this.#character("the closing quote");
    return literal(text);
  }

  #group(): Expression {
    if (++this.#depth > MAX_DEPTH) throw this.#wrong(`at most ${MAX_DEPTH} groups in groups`, "Flatten it.");
    this.#skip(LINES);
    const inner = this.#choice();
    this.#skip(LINES);
    this.#depth--;
    if (!this.#take(")")) throw this.#wrong('")"', "Close the group.");
    return inner;
  }

  #class(): CharacterSet {
    const isNegated = this.#take("^");
    let members: CharacterSet = [];
    while (!this.#take("]")) {
      const from = this.#character('"]"').codePointAt(0)!;
      const isRange = this.#source[this.#at] === "-" && this.#source[this.#at + 1] !== "]";
      if (isRange) this.#at++;
      const to = isRange ? this.#character('"]"').codePointAt(0)! : from;
      if (to < from) throw this.#wrong("a range from a character to a later one", "Turn it round.");
      members = union(members, from === to ? only(from) : [[from, to]]);
    }
    const result = isNegated ? complement(members) : complement(complement(members));
    if (result.length === 0) throw this.#wrong("a class with a character", "Fill it.");
    return result;
  }

  /** A character as it is, or an escape. */
  #character(closing: string): string {
    const code = this.#source.codePointAt(this.#at);
    if (code === undefined || code === 10 || code === 13)
      throw this.#wrong(closing, "Write \\n for a line break.");
    const character = String.fromCodePoint(code);
    this.#at += character.length;
    if (character !== "\\") return character;
    const letter = this.#source[this.#at] ?? "";
    this.#at++;
    if (Object.hasOwn(ESCAPES, letter)) return ESCAPES[letter]!;
    const digits = Object.hasOwn(HEX, letter) ? this.#match(HEX[letter]!) : undefined;
    const value = Number.parseInt(digits?.replace("{", "") ?? "", 16);
    if (!(value <= 0x10ffff) || (value >= 0xd800 && value <= 0xdfff))
      throw this.#wrong("a known escape of a whole character", "Write \\u{…} with its code point.");
    return String.fromCodePoint(value);
  }

  #take(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #skip(blanks: RegExp): void {
    this.#match(blanks);
  }

  #wrong(expected: string, advice: string): SyntaxError {
    const line = this.#source.slice(0, this.#at).split("\n").length;
    const code = this.#source.codePointAt(this.#at);
    const got = code === undefined ? "the end" : JSON.stringify(String.fromCodePoint(code));
    return new SyntaxError(`expected ${expected} in line ${line}, got ${got}. ${advice}`);
  }
}
