import type { AddedToken } from "./tokenizer-file.ts";

interface Node {
  readonly next: Map<string, Node>;
  token: AddedToken | undefined;
}

/** Finds added tokens in a text: leftmost first, and of those that begin together the longest. */
export class AddedTokenMatcher {
  readonly #root: Node = { next: new Map(), token: undefined };

  /** `key` is the text a token is matched by. */
  constructor(tokens: readonly AddedToken[], key: (token: AddedToken) => string = (token) => token.content) {
    for (const token of tokens) {
      let node = this.#root;
      for (const unit of key(token).split("")) {
        let next = node.next.get(unit);
        if (!next) {
          next = { next: new Map(), token: undefined };
          node.next.set(unit, next);
        }
        node = next;
      }
      if (node !== this.#root) node.token = token;
    }
  }

  /** Length of the longest token that begins at `start`, or 0. */
  lengthAt(text: string, start: number): number {
    let length = 0;
    let node = this.#root.next.get(text[start] ?? "");
    for (let i = start + 1; node; node = node.next.get(text[i++] ?? "")) if (node.token) length = i - start;
    return length;
  }

  /** Whether a token begins at `start` and `end` cuts it off. */
  isCutOff(text: string, start: number, end: number): boolean {
    let node: Node | undefined = this.#root;
    let i = start;
    while (node && i < end) node = node.next.get(text[i++]!);
    return node !== undefined && i > start;
  }

  /** The text as plain strings and the tokens between them; a token's lstrip and rstrip eat blanks beside it. */
  split(text: string): (string | AddedToken)[] {
    if (this.#root.next.size === 0) return text === "" ? [] : [text];
    const sections: (string | AddedToken)[] = [];
    let start = 0;
    for (let i = 0; i < text.length; ) {
      const length = this.lengthAt(text, i);
      if (length === 0) {
        i++;
        continue;
      }
      if (i > start) sections.push(text.slice(start, i));
      sections.push(this.#tokenOf(text, i, length));
      i += length;
      start = i;
    }
    if (start < text.length) sections.push(text.slice(start));
    return strip(sections);
  }

  #tokenOf(text: string, start: number, length: number): AddedToken {
    let node = this.#root;
    for (let i = start; i < start + length; i++) node = node.next.get(text[i]!)!;
    return node.token!;
  }
}

function strip(sections: (string | AddedToken)[]): (string | AddedToken)[] {
  sections.forEach((section, i) => {
    if (typeof section === "string") return;
    const [before, after] = [sections[i - 1], sections[i + 1]];
    if (section.lstrip && typeof before === "string") sections[i - 1] = before.trimEnd();
    if (section.rstrip && typeof after === "string") sections[i + 1] = after.trimStart();
  });
  return sections;
}
