// Wraps a text by word while it streams to a terminal. A word is shown as it comes; when it grows beyond the
// line, it is taken back and goes on in the next one.
import stringWidth from "string-width";

/** Lines end, words are separated, and words may end after each character of scripts without spaces. */
const PARTS = /(\n|[ \t]+|[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}])/u;
const BREAKS_BEFORE = /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]/u;
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

export class WordWrap {
  readonly #columns: () => number;
  readonly #indent: number;
  /** Blanks that are shown with the word after them. */
  #gap = "";
  /** The last word, as far as it is in this line. */
  #word = "";
  /** Column where it begins. */
  #start = 0;

  /**
   * @param columns of the terminal now. The text begins in its first one.
   * @param indent blanks before a line that goes on. Default 0
   */
  constructor(columns: () => number, indent = 0) {
    this.#columns = columns;
    this.#indent = indent;
  }

  /** @returns what the terminal is to be sent for a piece of the text */
  push(text: string): string {
    let out = "";
    for (const part of text.split(PARTS)) {
      if (part === "\n") {
        out += "\n";
        this.#begin(0);
      } else if (/^[ \t]/.test(part)) {
        this.#begin(this.#start + stringWidth(this.#word), this.#gap + part.replaceAll("\t", "    "));
      } else if (part !== "") {
        if (BREAKS_BEFORE.test(part) && this.#word !== "") this.#begin(this.#start + stringWidth(this.#word));
        out += this.#add(part);
      }
    }
    return out;
  }

  #begin(column: number, gap = ""): void {
    this.#start = column;
    this.#gap = gap;
    this.#word = "";
  }

  /** Begins a line that goes on. */
  #goOn(): string {
    this.#begin(this.#indent);
    return `\n${" ".repeat(this.#indent)}`;
  }

  #add(part: string): string {
    const columns = Math.max(this.#columns(), 2);
    let out = "";
    const width = stringWidth(part);
    const inLine = this.#start > this.#indent || this.#gap !== "";
    if (this.#gap !== "" && this.#start > this.#indent && this.#start + this.#gap.length + width > columns) {
      out += this.#goOn();
    } else if (this.#gap !== "") {
      out += this.#gap;
      this.#begin(this.#start + this.#gap.length);
    }
    const word = this.#word + part;
    if (this.#start + stringWidth(word) <= columns) {
      this.#word = word;
      return out + part;
    }
    // Absolute, since the cursor of a full line stands on its last column or behind it.
    if (this.#word !== "") out += `\u001b[${this.#start + 1}G\u001b[K`;
    if (inLine && this.#start > this.#indent) out += this.#goOn();
    this.#word = "";
    for (const { segment } of graphemes.segment(word)) {
      if (this.#start + stringWidth(this.#word + segment) > columns && this.#word !== "") out += this.#goOn();
      out += segment;
      this.#word += segment;
    }
    return out;
  }
}
