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
const space = /\p{White_Space}/u;
/** What \w matches in Rust's regex. */
const wordCharacter = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d]/u;
/** Characters scanned between two yields. */
const STRIDE = 8000;

/** Finds added tokens in a text: the leftmost match, and the longest of several at one place. */
export class AddedTokenMatcher {
  readonly #root = node();

  /** @param key the text that a token is matched by */
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

  /** The longest token that begins at index `start` of the text. */
  at(text: string, start: number): Match | undefined {
    let found: Match | undefined;
    let next = this.#root.next.get(text.charAt(start));
    for (let i = start + 1; next; next = next.next.get(text.charAt(i++))) found = next.match ?? found;
    return found;
  }

  /** Whether a token begins with text[start, end). */
  isCutOff(text: string, start: number, end: number): boolean {
    let next: Node | undefined = this.#root;
    let i = start;
    while (next && i < end) next = next.next.get(text.charAt(i++));
    return next !== undefined && i > start;
  }

  /**
   * Splits a text into plain strings and the added tokens between them. `lstrip` and `rstrip` remove the
   * white space beside a token. A `single_word` match inside a word stays text, and so do the shorter tokens
   * it begins with.
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
      if (!token.singleWord || (!endsInWord(text, i) && !beginsInWord(text, end))) {
        let from = i;
        while (token.lstrip && from > start && space.test(text.charAt(from - 1))) from--;
        if (from > start) sections.push(text.slice(start, from));
        sections.push(token);
        start = end;
        while (token.rstrip && space.test(text.charAt(start))) start++;
      }
      // Search on from `end`, not `start`: a token may begin with the spaces that rstrip removes.
      i = end;
    }
    if (start < text.length) sections.push(text.slice(start));
    return sections;
  }
}

const beginsInWord = (text: string, at: number) =>
  at < text.length && wordCharacter.test(String.fromCodePoint(text.codePointAt(at) ?? 0));

function endsInWord(text: string, at: number): boolean {
  if (at === 0) return false;
  const isPair = /[\udc00-\udfff]/.test(text.charAt(at - 1));
  return wordCharacter.test(text.slice(isPair ? at - 2 : at - 1, at));
}
