import type { DecodedPiece, DecoderRules } from "./huggingface/decoder-rules.ts";

/** What each id of a vocabulary decodes to. A piece is decoded when its id is first used, then cached. */
export class PieceTable {
  readonly rules: DecoderRules;
  readonly #tokens: readonly (string | undefined)[];
  readonly #added: ReadonlyMap<number, { readonly special: boolean }>;
  readonly #pieces: (DecodedPiece | undefined)[] = [];

  constructor(
    tokens: readonly (string | undefined)[],
    added: ReadonlyMap<number, { readonly special: boolean }>,
    rules: DecoderRules,
  ) {
    this.#tokens = tokens;
    this.#added = added;
    this.rules = rules;
  }

  /** Whether the id is an added token with the special flag: left out of decoded text. */
  isSpecial(id: number): boolean {
    return this.#added.get(id)?.special ?? false;
  }

  /** Whether the id has a token: a vocabulary may have holes. */
  has(id: number): boolean {
    return this.#tokens[id] !== undefined;
  }

  /** The token as the vocabulary spells it. @throws RangeError for an id without a token */
  token(id: number): string {
    const token = this.#tokens[id];
    if (token !== undefined) return token;
    const last = this.#tokens.length - 1;
    throw new RangeError(
      `token id: expected an id of the vocabulary (0 to ${last}), got ${id}. Check where it comes from.`,
    );
  }

  /** @param first whether the token is the first of a text. @throws RangeError for an id without a token */
  piece(id: number, first = false): DecodedPiece {
    if (first && this.rules.first) return this.rules.first(this.token(id));
    let piece = this.#pieces[id];
    if (piece === undefined) {
      piece = this.rules.piece(this.token(id));
      this.#pieces[id] = piece;
    }
    return piece;
  }
}
