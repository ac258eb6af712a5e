import type { AddedToken } from "./huggingface/tokenizer-file.ts";

interface Match {
  readonly token: AddedToken;
  readonly length: number;
}

interface Node {
  readonly next: Map<string, Node>;
  match: Match | undefined;
}

const node = (): Node => ({ next: new Map(), match: undefined });
const blank = /\p{White_Space}/u;
/** What Rust's \w takes. */
const letter = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d]/u;
/** Characters between two yields. */
const STRIDE = 8000;

/** Finds added tokens in a text: leftmost first, and of those that begin together the longest. */
export class AddedTokenMatcher {
  readonly #root = node();

  /** `key` is the text a token is matched by. */
  constructor(tokens: readonly AddedToken[], key: (token: AddedToken) => string = (token) => token.content) {
    for (const token of tokens) {
      const text = key(token);
      let at = this.#root;
      for (const unit of text.split("")) {
        const next = at.next.get(unit) ?? node();
        at.next.set(unit, next);
        at = next;
      }
      if (text !== "") at.match = { token, length: text.length };
    }
  }

  /** The longest token that begins at `start`. */
  at(text: string, start: number): Match | undefined {
    let found: Match | undefined;
    let next = this.#root.next.get(text.charAt(start));
    for (let i = start + 1; next; next = next.next.get(text.charAt(i++))) found = next.match ?? found;
    return found;
  }

  /** Whether a token begins at `start` and `end` cuts it off. */
  isCutOff(text: string, start: number, end: number): boolean {
    let next: Node | undefined = this.#root;
    let i = start;
    while (next && i < end) next = next.next.get(text.charAt(i++));
    return next !== undefined && i > start;
  }

  /**
   * The text as plain strings and the tokens between them. A token's lstrip and rstrip take the blanks beside it, and a single_word
   * that stands within a word is text, together with the shorter tokens that it begins with.
   */
  *split(text: string): Generator<undefined, (string | AddedToken)[]> {
    const sections: (string | AddedToken)[] = [];
    let start = 0;
    let seen = STRIDE;
    for (let i = 0; i < text.length && this.#root.next.size > 0; ) {
      if (i >= seen) {
        yield;
        seen = i + STRIDE;
      }
      const found = this.at(text, i);
      if (!found) {
        i++;
        continue;
      }
      const { token, length } = found;
      const end = i + length;
      if (!token.singleWord || (!endsWithLetter(text, i) && !beginsWithLetter(text, end))) {
        let from = i;
        while (token.lstrip && from > start && blank.test(text.charAt(from - 1))) from--;
        if (from > start) sections.push(text.slice(start, from));
        sections.push(token);
        start = end;
        while (token.rstrip && blank.test(text.charAt(start))) start++;
      }
      // Blanks that rstrip takes may themselves begin a token.
      i = end;
    }
    if (start < text.length) sections.push(text.slice(start));
    return sections;
  }
}

const beginsWithLetter = (text: string, at: number) =>
  at < text.length && letter.test(String.fromCodePoint(text.codePointAt(at) ?? 0));

function endsWithLetter(text: string, at: number): boolean {
  if (at === 0) return false;
  const isPair = /[\udc00-\udfff]/.test(text.charAt(at - 1));
  return letter.test(text.slice(isPair ? at - 2 : at - 1, at));
}
