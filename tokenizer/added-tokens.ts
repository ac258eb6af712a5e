import type { AddedToken } from "./tokenizer-file.ts";

interface Match {
  readonly token: AddedToken;
  readonly length: number;
}

interface Node {
  readonly next: Map<string, Node>;
  match: Match | undefined;
}

const node = (): Node => ({ next: new Map(), match: undefined });

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

  /** The text as plain strings and the tokens between them; a token's lstrip and rstrip eat blanks beside it. */
  split(text: string): (string | AddedToken)[] {
    const sections: (string | AddedToken)[] = [];
    let start = 0;
    for (let i = 0; i < text.length && this.#root.next.size > 0; ) {
      const found = this.at(text, i);
      if (!found) {
        i++;
        continue;
      }
      if (i > start) sections.push(text.slice(start, i));
      sections.push(found.token);
      i += found.length;
      start = i;
    }
    if (start < text.length) sections.push(text.slice(start));
    strip(sections);
    return sections;
  }
}

function strip(sections: (string | AddedToken)[]): void {
  sections.forEach((section, i) => {
    if (typeof section === "string") return;
    const [before, after] = [sections[i - 1], sections[i + 1]];
    if (section.lstrip && typeof before === "string") sections[i - 1] = before.trimEnd();
    if (section.rstrip && typeof after === "string") sections[i + 1] = after.trimStart();
  });
}
