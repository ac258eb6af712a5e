import type { DecoderRules, Piece } from "./huggingface/decoder-rules.ts";

/** All ids of a vocabulary as pieces of text; a piece is made when its id first comes up. */
export class PieceTable {
  readonly rules: DecoderRules;
  readonly #tokens: readonly (string | undefined)[];
  readonly #added: ReadonlyMap<number, { readonly special: boolean }>;
  readonly #pieces: (Piece | undefined)[] = [];

  constructor(
    tokens: readonly (string | undefined)[],
    added: ReadonlyMap<number, { readonly special: boolean }>,
    rules: DecoderRules,
  ) {
    this.#tokens = tokens;
    this.#added = added;
    this.rules = rules;
  }

  isSpecial(id: number): boolean {
    return this.#added.get(id)?.special ?? false;
  }

  has(id: number): boolean {
    return this.#tokens[id] !== undefined;
  }

  token(id: number): string {
    const token = this.#tokens[id];
    if (token !== undefined) return token;
    const last = this.#tokens.length - 1;
    throw new RangeError(
      `token id: expected one of the vocabulary (0 to ${last}), got ${id}. Check where it is from.`,
    );
  }

  /** @param first of the text */
  piece(id: number, first = false): Piece {
    if (first && this.rules.first) return this.rules.first(this.token(id));
    let piece = this.#pieces[id];
    if (piece === undefined) {
      piece = this.rules.piece(this.token(id));
      this.#pieces[id] = piece;
    }
    return piece;
  }
}
