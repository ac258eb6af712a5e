import type { Token, TokenKind } from "./lexer.ts";
import { fail, unsupported } from "./meter.ts";

/** Nesting in the source. Far above published templates; evaluating a deeper one could overflow the stack. */
const MAX_DEPTH = 100;

/** Reads tokens one after the other: the base of the parsers. */
export class TokenReader {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  protected get token(): Token {
    return this.#tokens[this.#at] as Token;
  }

  /** The token after the current one. */
  protected get after(): Token | undefined {
    return this.#tokens[this.#at + 1];
  }

  protected is(kind: TokenKind, value?: string): boolean {
    const { token } = this;
    return token.kind === kind && (value === undefined || token.value === value);
  }

  protected next(): Token {
    const { token } = this;
    if (token.kind !== "eof") this.#at++;
    return token;
  }

  protected skip(kind: TokenKind, value?: string): boolean {
    const found = this.is(kind, value);
    if (found) this.next();
    return found;
  }

  protected expect(kind: TokenKind, value?: string): Token {
    if (this.is(kind, value)) return this.next();
    return this.wrong(`expected ${value === undefined ? `a ${kind}` : `'${value}'`}`);
  }

  protected wrong(message: string): never {
    const { kind, value, line } = this.token;
    const got = kind === "eof" ? "the end of the template" : `'${value.slice(0, 60)}'`;
    return fail(`line ${line}: ${message}, got ${got}`);
  }

  protected refuse(what: string, line: number): never {
    return unsupported(`${what} (line ${line})`);
  }

  /** Parses a nested part, and counts the depth. */
  protected nested<T>(action: () => T): T {
    if (++this.#depth > MAX_DEPTH) this.refuse(`nesting more than ${MAX_DEPTH} deep`, this.token.line);
    const result = action();
    this.#depth--;
    return result;
  }
}
