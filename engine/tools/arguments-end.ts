// Finds where a JSON object ends.

export class ArgumentsEnd {
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  ended = false;

  /** @returns how many characters belong to the object */
  push(text: string): number {
    for (let i = 0; i < text.length; i++) {
      this.#step(text[i]!);
      if (this.ended) return i + 1;
    }
    return text.length;
  }

  #step(character: string): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (this.#inString) {
      if (character === "\\") this.#isEscaped = true;
      else if (character === '"') this.#inString = false;
    } else if (character === '"') this.#inString = true;
    else if (character === "{" || character === "[") this.#depth++;
    else if (character === "}" || character === "]") this.ended = --this.#depth === 0;
  }
}
