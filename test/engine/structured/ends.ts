// Where the texts of an expression may end in a given text: by sets of places, which takes no search. An
// oracle for the machine, which reads bytes and keeps stacks.
import type { Expression } from "../../../engine/structured/grammar.ts";

/** @param starts places in the text's code points */
function ends(expression: Expression, text: readonly number[], starts: ReadonlySet<number>): Set<number> {
  switch (expression.kind) {
    case "set":
      return new Set(
        [...starts].flatMap((at) =>
          expression.set.some(([from, to]) => text[at]! >= from && text[at]! <= to) ? [at + 1] : [],
        ),
      );
    case "sequence":
      return expression.parts.reduce((at, part) => ends(part, text, at), new Set(starts));
    case "choice":
      return new Set(expression.options.flatMap((option) => [...ends(option, text, starts)]));
    case "repeat": {
      const { part, least, most } = expression;
      let at = new Set(starts);
      for (let i = 0; i < least; i++) at = ends(part, text, at);
      const all = new Set(at);
      for (let i = least; i < most && at.size > 0; i++) {
        at = new Set([...ends(part, text, at)].filter((place) => !all.has(place)));
        for (const place of at) all.add(place);
      }
      return all;
    }
    case "rule":
      throw new Error("expected no rules");
  }
}

export const isWhole = (expression: Expression, text: string): boolean => {
  const codes = Array.from(text, (character) => character.codePointAt(0)!);
  return ends(expression, codes, new Set([0])).has(codes.length);
};
