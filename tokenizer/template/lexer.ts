// Splits a template into tokens, as jinja2 does with trim_blocks and lstrip_blocks.
import { fail, unsupported } from "./meter.ts";
import { isSpace } from "./strings.ts";

export type TokenKind =
  | "text"
  | "name"
  | "string"
  | "integer"
  | "float"
  | "operator"
  | "begin"
  | "end"
  | "eof";

export interface Token {
  readonly kind: TokenKind;
  /** The value of a string, "{%" or "{{" of a begin, "%}" or "}}" of an end; of others the source text. */
  readonly value: string;
  readonly line: number;
}

const space = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]*";
const sticky = (pattern: string): RegExp => new RegExp(pattern, "suy");

const opening = /\{[%#{]/g;
const rawBegin = sticky(`\\{%[-+]?${space}raw${space}(?:-%\\}${space}|%\\})`);
const rawEnd = sticky(`\\{%[-+]?${space}endraw${space}(?:\\+%\\}|-%\\}${space}|%\\}\\n?)`);
const ends: Readonly<Record<string, RegExp>> = {
  "{%": sticky(`\\+%\\}|-%\\}${space}|%\\}\\n?`),
  "{{": sticky(`-\\}\\}${space}|\\}\\}`),
  "{#": sticky(`\\+#\\}|-#\\}${space}|#\\}\\n?`),
};
const spaces = sticky(space);
const digits = "\\d(?:_?\\d)*";
const float = sticky(`(?<!\\.)${digits}(?:(?:\\.${digits})?[eE][+-]?${digits}|\\.${digits})`);
const integer = sticky(
  "0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[\\da-fA-F])+|[1-9](?:_?\\d)*|0(?:_?0)*",
);
const name = sticky("[\\p{L}\\p{N}_]+");
const string = sticky(`'[^'\\\\]*(?:\\\\.[^'\\\\]*)*'|"[^"\\\\]*(?:\\\\.[^"\\\\]*)*"`);
const operator = sticky("\\*\\*|//|[=!<>]=|[-+/*%~[\\](){}<>=.:|,;]");

/** The tokens in order; the last one is "eof". @throws TemplateFailure for a syntax error, or Unsupported */
export function lex(template: string): Token[] {
  const source = template.replace(/\r\n?/g, "\n").replace(/\n$/, "");
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  /** Whether the position is at the start of a line, also after a tag that removed its newline. */
  let atLineStart = true;

  const advance = (to: number): void => {
    for (let i = at; i < to; i++) if (source[i] === "\n") line++;
    atLineStart = source[to - 1] === "\n";
    at = to;
  };
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0];
  };
  const push = (kind: TokenKind, value: string): void => {
    tokens.push({ kind, value, line });
  };
  /** Pushes the text before a tag, without the white space that its sign or lstrip_blocks removes. */
  const pushText = (to: number, sign: string | undefined, isVariable: boolean): void => {
    let end = to;
    const lineStart = at + source.slice(at, to).lastIndexOf("\n") + 1;
    if (sign === "-") while (end > at && isSpace(source[end - 1])) end--;
    else if (sign !== "+" && !isVariable && (lineStart > at || atLineStart)) {
      const from = Math.max(at, lineStart);
      let blank = to;
      while (blank > from && isSpace(source[blank - 1])) blank--;
      if (blank === from) end = from;
    }
    if (end > at) push("text", source.slice(at, end));
    advance(to);
  };

  for (;;) {
    opening.lastIndex = at;
    const begin = opening.exec(source);
    if (!begin) break;
    const kind = begin[0];
    const sign = /[-+]/.exec(source[begin.index + 2] ?? "")?.[0];
    rawBegin.lastIndex = begin.index;
    const raw = rawBegin.exec(source)?.[0];
    pushText(begin.index, sign, kind === "{{");
    if (raw !== undefined) {
      advance(at + raw.length);
      let close = source.indexOf("{%", at);
      for (; close >= 0; close = source.indexOf("{%", close + 2)) {
        rawEnd.lastIndex = close;
        const found = rawEnd.exec(source)?.[0];
        if (found === undefined) continue;
        pushText(close, /[-+]/.exec(found[2] ?? "")?.[0], false);
        advance(at + found.length);
        break;
      }
      if (close < 0) fail(`line ${line}: Missing end of raw directive`);
      continue;
    }
    advance(at + 2 + (sign === undefined ? 0 : 1));
    const end = ends[kind] as RegExp;
    if (kind === "{#") {
      let close = source.indexOf("#}", at);
      if (close < 0) fail(`line ${line}: Missing end of comment tag`);
      if (close > at && /[-+]/.test(source[close - 1] ?? "")) close--;
      advance(close);
      advance(at + (match(end)?.length ?? 0));
      continue;
    }
    push("begin", kind);
    inside(end, kind === "{%" ? "%}" : "}}");
  }
  if (at < source.length) push("text", source.slice(at));
  push("eof", "");
  return tokens;

  function inside(end: RegExp, closing: string): void {
    const open: string[] = [];
    for (;;) {
      const blank = match(spaces) ?? "";
      if (blank !== "") advance(at + blank.length);
      const closed = open.length === 0 ? match(end) : undefined;
      if (closed !== undefined) {
        push("end", closing);
        advance(at + closed.length);
        return;
      }
      if (at >= source.length) fail(`line ${line}: unexpected end of template, "${closing}" is missing`);
      const value = one();
      const bracket = tokens.at(-1)?.kind === "operator" ? value : "";
      if ("([{".includes(bracket) && bracket !== "") open.push(")]}"["([{".indexOf(bracket)] as string);
      else if (")]}".includes(bracket) && bracket !== "" && open.pop() !== bracket) {
        fail(`line ${line}: unexpected '${bracket}'`);
      }
      advance(at + value.length);
    }
  }

  /** Pushes the next token and returns its source text. */
  function one(): string {
    const kinds: [RegExp, TokenKind][] = [
      [float, "float"],
      [integer, "integer"],
      [name, "name"],
      [string, "string"],
      [operator, "operator"],
    ];
    for (const [pattern, kind] of kinds) {
      const value = match(pattern);
      if (value === undefined) continue;
      if (kind === "name" && !/^[\p{ID_Start}_][\p{ID_Continue}]*$/u.test(value)) {
        fail(`line ${line}: Invalid character in identifier`);
      }
      push(kind, kind === "string" ? unescaped(value.slice(1, -1)) : value);
      return value;
    }
    return fail(
      `line ${line}: unexpected char ${JSON.stringify(String.fromCodePoint(source.codePointAt(at) ?? 0))}`,
    );
  }
}

const escapes: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  b: "\b",
  f: "\f",
  v: "\v",
  a: "\x07",
  "\n": "",
  "\\": "\\",
  "'": "'",
  '"': '"',
};

/** Replaces Python's string escapes. Unknown escapes stay as they are. */
function unescaped(text: string): string {
  const pattern = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{1,3})|([\s\S]))/gu;
  return text.replace(pattern, (whole, x?: string, u?: string, long?: string, octal?: string, other = "") => {
    const hex = x ?? u ?? long;
    if (hex !== undefined) {
      const code = Number.parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : fail("illegal Unicode character in a string");
    }
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    if (other === "N") return unsupported('"\\N{...}" in a string');
    if ("xuU".includes(other)) return fail(`truncated \\${other} escape in a string`);
    if (other > "\x7f") return unsupported(`"\\${other}" in a string`);
    return escapes[other] ?? whole;
  });
}
