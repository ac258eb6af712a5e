import type { PieceTable } from "./piece-table.ts";

/**
 * Turns ids into text as they come. What `push` and the final `end` return, joined, is exactly what decoding all
 * ids at once gives; a token costs the same however long the text already is.
 */
export class StreamDecoder {
  readonly #table: PieceTable;
  readonly #skipSpecial: boolean;
  /** U+FEFF is a character like others, and the answer may well begin with it. */
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  #inBytes = false;
  #first: boolean;
  /** Characters still to be stripped at the start. */
  #strip: number;
  /** Characters at the end that are stripped if nothing follows. */
  #held = "";

  /** `continues`: the ids go on from others, so the text's own leading space is kept. */
  constructor(table: PieceTable, skipSpecial: boolean, continues: boolean) {
    this.#table = table;
    this.#skipSpecial = skipSpecial;
    this.#first = !continues;
    this.#strip = continues ? 0 : table.rules.strip.start;
  }

  /** Whether the vocabulary names this id: a model's logits may be padded past it. */
  knows(id: number): boolean {
    return this.#table.has(id);
  }

  /** What a token by itself would add here: its bytes, without a space that is stripped at the start of a text. */
  bytesHere(id: number): Uint8Array {
    const piece = this.#table.has(id) ? this.#table.piece(id, this.#first) : "";
    if (typeof piece !== "string") return piece;
    return new TextEncoder().encode(piece.slice(this.#stripped(piece)));
  }

  /** Text that is certain after this id; "" while a character is not whole yet. @throws RangeError where nothing names it */
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

  /** The rest: an unfinished character comes out as U+FFFD. Nothing may be pushed after it. */
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

  /** How many characters are stripped where `text` comes next. */
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
