// Holds an answer to a format: before each step, the tokens that the machine of the format allows.
import type { TokenConstraint } from "../scheduler/token-constraint.ts";
import type { Machine } from "./machine.ts";
import type { TokenBytes, Vocabulary } from "./token-bytes.ts";
import { hasBit, setBit } from "./token-trie.ts";

/** White space tokens in a row that change nothing, at most. Small models repeat them for ever. */
const MAX_BLANKS = 3;
/** Masks kept for a format, in bytes. */
const MAX_CACHED_BYTES = 4 * 2 ** 20;

/** A format that was compiled once. */
export interface Language {
  readonly machine: Machine;
  /** White space between the parts of JSON has no meaning. */
  readonly isJson: boolean;
}

type Masks = Map<string, Uint32Array<ArrayBuffer>>;

/** The masks of states that were met, by vocabulary and language. */
const kept = new WeakMap<Vocabulary, WeakMap<Language, Masks>>();

function masksOf(vocabulary: Vocabulary, language: Language): Masks {
  const languages = kept.get(vocabulary) ?? new WeakMap<Language, Masks>();
  kept.set(vocabulary, languages);
  const masks = languages.get(language) ?? new Map();
  languages.set(language, masks);
  return masks;
}

export class FormatConstraint implements TokenConstraint {
  readonly #language: Language;
  readonly #vocabulary: Vocabulary;
  readonly #endIds: ReadonlySet<number>;
  readonly #masks: Masks;
  #tokens: TokenBytes;
  #state: unknown;
  #blanks = 0;
  #mask: Uint32Array<ArrayBuffer> | undefined;
  /** Whether the end was picked, or nothing but the end could follow. */
  #complete = false;

  /**
   * @param endIds tokens that end an answer
   * @param continues the answer goes on with a text: its first token keeps its space
   */
  constructor(
    language: Language,
    vocabulary: Vocabulary,
    { endIds, continues }: { endIds: ReadonlySet<number>; continues: boolean },
  ) {
    this.#language = language;
    this.#vocabulary = vocabulary;
    this.#masks = masksOf(vocabulary, language);
    this.#endIds = endIds;
    this.#tokens = continues ? vocabulary.later : vocabulary.first;
    this.#state = language.machine.initial;
  }

  get complete(): boolean {
    return this.#complete;
  }

  mask(): Uint32Array<ArrayBuffer> {
    this.#mask ??= this.#allowed();
    return this.#mask;
  }

  accept(id: number): void {
    if (this.#endIds.has(id)) {
      this.#complete = true;
      return;
    }
    const { machine, isJson } = this.#language;
    const before = this.#state;
    for (const byte of this.#tokens.tokens[id] ?? []) this.#state = machine.transition(this.#state, byte);
    this.#blanks = isJson && this.#state === before ? this.#blanks + 1 : 0;
    this.#tokens = this.#vocabulary.later;
    this.#mask = undefined;
    this.#complete = machine.accepting(this.#state) && isEmpty(this.#textTokens());
  }

  #allowed(): Uint32Array<ArrayBuffer> {
    const mask = this.#textTokens();
    if (this.#language.machine.accepting(this.#state)) for (const id of this.#endIds) setBit(mask, id);
    return mask;
  }

  /** The tokens that may follow, apart from an end. */
  #textTokens(): Uint32Array<ArrayBuffer> {
    const { machine, isJson } = this.#language;
    const mask = this.#continuations().slice();
    if (!isJson) return mask;
    const isEnd = machine.accepting(this.#state);
    if (this.#blanks < MAX_BLANKS && !isEnd) return mask;
    const bare = mask.slice();
    for (const id of this.#tokens.blank)
      if (hasBit(bare, id) && this.#changesNothing(id)) bare[id >>> 5]! &= ~(1 << (id & 31));
    return isEnd || !isEmpty(bare) ? bare : mask;
  }

  #changesNothing(id: number): boolean {
    const { machine } = this.#language;
    let state = this.#state;
    for (const byte of this.#tokens.tokens[id] ?? []) state = machine.transition(state, byte);
    return state === this.#state;
  }

  #continuations(): Uint32Array<ArrayBuffer> {
    const { machine } = this.#language;
    const masks = this.#masks;
    // The first token has other bytes.
    const key = this.#tokens === this.#vocabulary.later ? machine.maskKey?.(this.#state) : undefined;
    const known = key === undefined ? undefined : masks.get(key);
    if (known) return known;
    const mask = new Uint32Array(Math.ceil(this.#tokens.tokens.length / 32));
    const capacity = machine.stringCapacity?.(this.#state);
    if (capacity !== undefined) mask.set(this.#tokens.plain(Math.max(0, capacity)));
    const trie = capacity === undefined ? this.#tokens.trie : this.#tokens.exceptional;
    trie.allow(machine, this.#state, mask);
    if (key !== undefined) {
      if (masks.size * mask.byteLength >= MAX_CACHED_BYTES) masks.clear();
      masks.set(key, mask);
    }
    return mask;
  }
}

const isEmpty = (mask: Uint32Array): boolean => mask.every((word) => word === 0);
