import type { PieceTable } from "./piece-table.ts";

/**
 * Decodes ids one at a time. The texts that `push` and the final `end` return, joined, equal the text of all
 * ids decoded at once. The cost of a token does not depend on the length of the text before it.
 */
export class StreamDecoder {
  readonly #table: PieceTable;
  readonly #skipSpecial: boolean;
  /** `ignoreBOM`: an answer may begin with U+FEFF, and keeps it. */
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  #inBytes = false;
  #first: boolean;
  /** Characters still to be stripped at the start. */
  #strip: number;
  /** Characters that will be stripped if the text ends here. */
  #held = "";

  /** @param continues the ids follow earlier ones, so a leading space is kept */
  constructor(table: PieceTable, skipSpecial: boolean, continues: boolean) {
    this.#table = table;
    this.#skipSpecial = skipSpecial;
    this.#first = !continues;
    this.#strip = continues ? 0 : table.rules.strip.start;
  }

  /** Whether the id has a token. A model's logits may be padded beyond the vocabulary. */
  has(id: number): boolean {
    return this.#table.has(id);
  }

  /**
   * The bytes that a token would add at this point, without a space that is stripped at the start of a text.
   */
  bytesHere(id: number): Uint8Array {
    const piece = this.#table.has(id) ? this.#table.piece(id, this.#first) : "";
    // A token of one byte may be the space.
    if (typeof piece !== "string")
      return piece.subarray(this.#stripped(String.fromCharCode(...piece.slice(0, 1))));
    return new TextEncoder().encode(piece.slice(this.#stripped(piece)));
  }

  /**
   * Returns the text that is final after this id: "" inside a character.
   * @throws RangeError for an id without a token
   */
  push(id: number): string {
    const piece = this.#table.piece(id, this.#first);
    if (this.#skipSpecial && this.#table.isSpecial(id)) return "";
    this.#first = false;
    if (typeof piece === "string") {
      const text = this.#flush() + piece;
      return this.#hold(this.#stripStart(text));
    }
    this.#inBytes = true;
    return this.#hold(this.#stripStart(this.#utf8.decode(piece, { stream: true })));
  }

  /** Returns the rest of the text; an incomplete character becomes U+FFFD. Do not push after it. */
  end(): string {
    const text = this.#hold(this.#stripStart(this.#flush()));
    this.#held = "";
    return text;
  }

  #flush(): string {
    if (!this.#inBytes) return "";
    this.#inBytes = false;
    return this.#utf8.decode();
  }

  #stripStart(text: string): string {
    if (this.#strip === 0) return text;
    const start = this.#stripped(text);
    this.#strip -= start;
    if (start < text.length) this.#strip = 0;
    return text.slice(start);
  }

  /** How many characters are stripped from the start of `text`, if it is next. */
  #stripped(text: string): number {
    const { character } = this.#table.rules.strip;
    let start = 0;
    while (start < this.#strip && text[start] === character) start++;
    return start;
  }

  #hold(text: string): string {
    const { character, end } = this.#table.rules.strip;
    if (end === 0) return text;
    const all = this.#held + text;
    let cut = all.length;
    while (all.length - cut < end && cut > 0 && all[cut - 1] === character) cut--;
    this.#held = all.slice(cut);
    return all.slice(0, cut);
  }
}
