// A language of texts as an expression over characters: what regular expressions, JSON Schemas, lists of
// choices and EBNF are all turned into.
import type { CharacterSet } from "./character-set.ts";

export type Expression =
  /** One character of a set. */
  | { readonly kind: "set"; readonly set: CharacterSet }
  /** All parts, one after another; without parts, the empty text. */
  | { readonly kind: "sequence"; readonly parts: readonly Expression[] }
  /** One of the options; without options, nothing at all, not even the empty text. */
  | { readonly kind: "choice"; readonly options: readonly Expression[] }
  /** A part `least` to `most` times (Infinity: no bound). */
  | { readonly kind: "repeat"; readonly part: Expression; readonly least: number; readonly most: number }
  /** What a rule of the grammar says. */
  | { readonly kind: "rule"; readonly name: string };

export interface Grammar {
  readonly start: Expression;
  readonly rules: ReadonlyMap<string, Expression>;
}

export const set = (characters: CharacterSet): Expression => ({ kind: "set", set: characters });

export const sequence = (...parts: readonly Expression[]): Expression =>
  parts.length === 1 ? parts[0]! : { kind: "sequence", parts };

export const choice = (...options: readonly Expression[]): Expression =>
  options.length === 1 ? options[0]! : { kind: "choice", options };

export const repeat = (part: Expression, least: number, most = Number.POSITIVE_INFINITY): Expression =>
  least === 1 && most === 1 ? part : { kind: "repeat", part, least, most };

export const optional = (part: Expression): Expression => repeat(part, 0, 1);

export const rule = (name: string): Expression => ({ kind: "rule", name });

type Leaf = Extract<Expression, { kind: "set" | "rule" }>;

/** Replaces sets and rules in expressions. Parts that are shared stay shared. */
export function mapper(ofLeaf: (leaf: Leaf) => Expression): (expression: Expression) => Expression {
  const done = new Map<Expression, Expression>();
  const map = (expression: Expression): Expression => {
    const known = done.get(expression);
    if (known) return known;
    const made = mapped(expression);
    done.set(expression, made);
    return made;
  };
  const mapped = (expression: Expression): Expression => {
    switch (expression.kind) {
      case "sequence":
        return { ...expression, parts: expression.parts.map(map) };
      case "choice":
        return { ...expression, options: expression.options.map(map) };
      case "repeat":
        return { ...expression, part: map(expression.part) };
      default:
        return ofLeaf(expression);
    }
  };
  return map;
}

/** The empty text. */
export const EMPTY: Expression = { kind: "sequence", parts: [] };

/** No text. */
export const NOTHING: Expression = { kind: "choice", options: [] };

/** Equal characters share one: long lists of texts stay small. */
const characters = Array.from({ length: 128 }, (_, code) => set([[code, code]]));

/** This text. */
export const literal = (text: string): Expression => spelled(Array.from(text));

const spelled = (text: readonly string[]): Expression =>
  sequence(
    ...text.map((character): Expression => {
      const code = character.codePointAt(0)!;
      return characters[code] ?? set([[code, code]]);
    }),
  );

/** One of these texts. What they begin with alike is read once: there may be thousands. */
export const literals = (texts: readonly string[]): Expression =>
  oneOf([...new Set(texts)].map((text) => Array.from(text)));

function oneOf(texts: readonly (readonly string[])[]): Expression {
  const groups = new Map<string | undefined, (readonly string[])[]>();
  for (const text of texts) {
    const group = groups.get(text[0]);
    if (group) group.push(text);
    else groups.set(text[0], [text]);
  }
  return choice(
    ...[...groups.values()].map((group) => {
      const first = group[0]!;
      if (group.length === 1) return spelled(first);
      let shared = 1;
      while (shared < first.length && group.every((text) => text[shared] === first[shared])) shared++;
      return sequence(spelled(first.slice(0, shared)), oneOf(group.map((text) => text.slice(shared))));
    }),
  );
}
