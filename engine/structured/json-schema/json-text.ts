// The parts of JSON (RFC 8259) as expressions. White space is bounded: one blank, or a line break with an
// indent where a part begins or ends; at most a blank after a colon. Small models would repeat it for ever.
import { ANY, type CharacterSet, complement, intersection, only, union } from "../character-set.ts";
import {
  choice,
  type Expression,
  literal,
  literals,
  optional,
  repeat,
  rule,
  sequence,
  set,
} from "../grammar.ts";

/** Blanks that begin a line, at most. */
const MAX_INDENT = 40;
/** Decimal digits that a double keeps apart (ECMA-262's Number). */
export const MAX_DIGITS = 15;

const BLANK = literal(" ");
const WHITE_SPACE: Expression = optional(
  choice(BLANK, sequence(literal("\n"), repeat(set(union(only(0x20), only(0x09))), 0, MAX_INDENT))),
);

export const DIGIT: Expression = set([[0x30, 0x39]]);
const NATURAL: Expression = choice(
  literal("0"),
  sequence(set([[0x31, 0x39]]), repeat(DIGIT, 0, MAX_DIGITS - 1)),
);
export const INTEGER: Expression = sequence(optional(literal("-")), NATURAL);
const EXPONENT = sequence(
  set(union(only(0x45), only(0x65))),
  optional(set(union(only(0x2b), only(0x2d)))),
  repeat(DIGIT, 1, 2),
);
export const NUMBER: Expression = sequence(
  INTEGER,
  optional(sequence(literal("."), repeat(DIGIT, 1, MAX_DIGITS))),
  optional(EXPONENT),
);

/** Characters that stand for themselves in a string. */
export const PLAIN: CharacterSet = complement([
  [0, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
]);
const hex = (...ranges: CharacterSet): Expression => set(ranges);
const HEX = hex([0x30, 0x39], [0x41, 0x46], [0x61, 0x66]);
const LEADING = set(union(only(0x44), only(0x64)));
/** An escape is one character, a pair of surrogates as well. Half a pair is none. */
const ESCAPE = sequence(
  literal("\\"),
  choice(
    set(Array.from('"\\/bfnrt', (each) => only(each.codePointAt(0)!)).reduce(union, [])),
    sequence(
      literal("u"),
      choice(
        sequence(
          hex([0x30, 0x39], [0x41, 0x43], [0x45, 0x46], [0x61, 0x63], [0x65, 0x66]),
          repeat(HEX, 3, 3),
        ),
        sequence(LEADING, hex([0x30, 0x37]), repeat(HEX, 2, 2)),
        sequence(
          LEADING,
          hex([0x38, 0x39], [0x41, 0x42], [0x61, 0x62]),
          repeat(HEX, 2, 2),
          literal("\\u"),
          LEADING,
          hex([0x43, 0x46], [0x63, 0x66]),
          repeat(HEX, 2, 2),
        ),
      ),
    ),
  ),
);
/** One character of a string's value. */
const CHARACTER: Expression = choice(set(PLAIN), ESCAPE);

export const quoted = (content: Expression): Expression => sequence(literal('"'), content, literal('"'));

/** A string of this many characters (code points). */
export const stringOf = (least: number, most: number): Expression => quoted(repeat(CHARACTER, least, most));

/** Characters of a value as a string writes them: those that cannot stand for themselves as escapes. */
export function written(characters: CharacterSet): Expression {
  const special = intersection(characters, complement(PLAIN)).flatMap(([from, to]) =>
    Array.from({ length: to - from + 1 }, (_, i) => from + i),
  );
  const plain = intersection(characters, PLAIN);
  const escapes = special.map((code) => JSON.stringify(String.fromCodePoint(code)).slice(1, -1));
  return choice(...(plain.length > 0 ? [set(plain)] : []), ...escapes.map(literal));
}

/** A value as JSON, with white space where it may be. */
export function valueText(value: unknown): Expression {
  if (typeof value !== "object" || value === null) return literal(JSON.stringify(value));
  if (Array.isArray(value)) return list("[", value.map(valueText), "]");
  const members = Object.entries(value).map(([name, each]) =>
    member(literal(JSON.stringify(name)), valueText(each)),
  );
  return list("{", members, "}");
}

export const member = (key: Expression, value: Expression): Expression =>
  sequence(key, literal(":"), optional(BLANK), value);

export const COMMA: Expression = sequence(literal(","), WHITE_SPACE);

function list(open: string, parts: readonly Expression[], close: string): Expression {
  const separated = parts.flatMap((part, i) => (i === 0 ? [part] : [COMMA, part]));
  return bracketed(open, sequence(...separated), close);
}

/** A list or an object around its content, which may be empty. */
export const bracketed = (open: string, content: Expression, close: string): Expression =>
  sequence(literal(open), WHITE_SPACE, content, WHITE_SPACE, literal(close));

const separated = (part: Expression): Expression =>
  optional(sequence(part, repeat(sequence(COMMA, part), 0)));

/** The rule of any value, and those of its types. */
export const ANY_VALUE = "any value";
export const ANY_RULES: ReadonlyMap<string, Expression> = new Map([
  ["any object", bracketed("{", separated(member(stringOf(0, Infinity), rule(ANY_VALUE))), "}")],
  ["any array", bracketed("[", separated(rule(ANY_VALUE)), "]")],
  [
    ANY_VALUE,
    choice(
      rule("any object"),
      rule("any array"),
      stringOf(0, Infinity),
      NUMBER,
      literals(["true", "false", "null"]),
    ),
  ],
]);

export const ANY_CHARACTER: Expression = set(ANY);
