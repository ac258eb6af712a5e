import type { AddedTokenMatcher } from "./added-tokens.ts";

/** Characters between two yields. */
const STRIDE = 4000;

/**
 * Keeps control tokens that stand in somebody's text from being read as such: the first character of each is
 * swapped for a private one until the text has been cut at the real control tokens, then swapped back. One
 * character takes the place of one, so that templates that trim or slice a content still do what they did.
 */
export class ContentGuard {
  readonly #controls: AddedTokenMatcher;
  readonly #standIns: ReadonlyMap<string, string>;

  /** `firsts`: every character a control token begins with. `texts`: all that the private ones must differ from. */
  constructor(controls: AddedTokenMatcher, firsts: ReadonlySet<string>, texts: readonly string[]) {
    const free = privateCharacters(texts);
    this.#controls = controls;
    this.#standIns = new Map([...firsts].map((first) => [first, free.next().value as string]));
  }

  /** The characters that stand for the first ones of control tokens. */
  get standIns(): string {
    return [...this.#standIns.values()].join("");
  }

  /** The text with its control tokens hidden, also one that its end cuts off and a template might complete. */
  *hide(text: string): Generator<undefined, string> {
    const end = text.trimEnd().length;
    const parts: string[] = [];
    let shown = 0;
    let start = 0;
    let seen = 0;
    for (const character of text) {
      const standIn = this.#standIns.get(character);
      const found =
        standIn !== undefined &&
        (this.#controls.at(text, start) !== undefined || this.#controls.isCutOff(text, start, end));
      if (found) {
        parts.push(text.slice(shown, start), standIn);
        shown = start + character.length;
      }
      start += character.length;
      if (start - seen < STRIDE) continue;
      seen = start;
      yield;
    }
    return parts.length === 0 ? text : parts.join("") + text.slice(shown);
  }

  /** The text as it was before `hide`. */
  restore(text: string): string {
    let restored = text;
    for (const [first, standIn] of this.#standIns) restored = restored.split(standIn).join(first);
    return restored;
  }
}

/** Characters of the private use area that stand in none of the texts. */
function* privateCharacters(texts: readonly string[]): Generator<string, never> {
  for (let code = 0xe000; code <= 0xf8ff; code++) {
    const character = String.fromCharCode(code);
    if (!texts.some((text) => text.includes(character))) yield character;
  }
  throw new RangeError(
    "text: expected a private use character that it does not hold, got all 6,400 of them. Remove some.",
  );
}
