import type { AddedTokenMatcher } from "./added-tokens.ts";
import { ChatTemplateError } from "./errors.ts";

/** Characters scanned between two yields. */
const STRIDE = 4000;

/**
 * Keeps the spelling of control tokens inside a message from being read as control tokens. `hide` replaces
 * the first character of each with a placeholder from the private use area. After the text has been split at
 * the real control tokens, `restore` puts the characters back. A placeholder is one character for one, so
 * templates that trim or slice a content do what they would do without it.
 */
export class ContentGuard {
  readonly #controls: AddedTokenMatcher;
  readonly #placeholders: ReadonlyMap<string, string>;

  /**
   * @param firsts every character that a control token begins with
   * @param texts texts that must not contain a placeholder
   * @throws ChatTemplateError if the texts use all private use characters
   */
  constructor(controls: AddedTokenMatcher, firsts: ReadonlySet<string>, texts: readonly string[]) {
    const free = privateCharacters(texts);
    this.#controls = controls;
    this.#placeholders = new Map([...firsts].map((first) => [first, free.next().value as string]));
  }

  /** All placeholder characters, joined. */
  get placeholders(): string {
    return [...this.#placeholders.values()].join("");
  }

  /**
   * Hides the control tokens in a text, also one that is cut off at its end: the template might complete it.
   */
  *hide(text: string): Generator<undefined, string> {
    const end = text.trimEnd().length;
    const parts: string[] = [];
    let shown = 0;
    let start = 0;
    let seen = 0;
    for (const character of text) {
      const placeholder = this.#placeholders.get(character);
      const found =
        placeholder !== undefined &&
        (this.#controls.at(text, start) !== undefined || this.#controls.isCutOff(text, start, end));
      if (found) {
        parts.push(text.slice(shown, start), placeholder);
        shown = start + character.length;
      }
      start += character.length;
      if (start - seen < STRIDE) continue;
      seen = start;
      yield;
    }
    return parts.length === 0 ? text : parts.join("") + text.slice(shown);
  }

  /** Undoes `hide`. */
  restore(text: string): string {
    let restored = text;
    for (const [first, placeholder] of this.#placeholders) restored = restored.split(placeholder).join(first);
    return restored;
  }
}

/** Characters of the private use area that none of the texts contains. */
function* privateCharacters(texts: readonly string[]): Generator<string, never> {
  for (let code = 0xe000; code <= 0xf8ff; code++) {
    const character = String.fromCharCode(code);
    if (!texts.some((text) => text.includes(character))) yield character;
  }
  throw new ChatTemplateError(
    "text: expected at least one unused private use character, got all 6,400 of them. Remove some.",
    { code: "refused-messages" },
  );
}
