// What the tokens of a vocabulary add to a text, and which of them may be anywhere inside a JSON string.
// Made once for each tokenizer.
import type { Tokenizer } from "../../tokenizer/index.ts";
import { setBit, TokenTrie } from "./token-trie.ts";

/** Bytes of a token, at most: longer ones are never allowed. */
export const LONGEST_TOKEN = 4096;

/** The tokens at the begin of a text, or after it: many tokenizers strip a space there. */
export class TokenBytes {
  /** By id; undefined: a control token, or none. */
  readonly tokens: readonly (Uint8Array | undefined)[];
  readonly trie: TokenTrie;
  /** Tokens that are not whole characters of a JSON string, or end one. */
  readonly exceptional: TokenTrie;
  /** Tokens of white space only. */
  readonly blank: readonly number[];
  readonly #words: number;
  /** Characters of each other token. */
  readonly #lengths: Uint16Array;
  readonly #longest: number;
  readonly #safe = new Map<number, Uint32Array>();

  constructor(tokens: readonly (Uint8Array | undefined)[]) {
    this.tokens = tokens;
    this.trie = new TokenTrie(tokens);
    this.#words = Math.ceil(tokens.length / 32);
    this.#lengths = Uint16Array.from(tokens, (bytes) => (bytes ? plainLength(bytes) : 0));
    this.exceptional = new TokenTrie(tokens.map((bytes, id) => (this.#lengths[id] ? undefined : bytes)));
    this.blank = [...tokens.keys()].filter((id) => tokens[id]?.length && tokens[id].every(isBlank));
    this.#longest = this.#lengths.reduce((a, b) => Math.max(a, b), 0);
  }

  /** The tokens of whole characters, at most `capacity` of them, that do not end a JSON string. */
  plain(capacity: number): Uint32Array {
    const most = Math.min(capacity, this.#longest);
    let mask = this.#safe.get(most);
    if (!mask) {
      mask = new Uint32Array(this.#words);
      for (const [id, length] of this.#lengths.entries()) if (length > 0 && length <= most) setBit(mask, id);
      this.#safe.set(most, mask);
    }
    return mask;
  }
}

export interface Vocabulary {
  /** Of the first token of an answer. */
  readonly first: TokenBytes;
  /** Of the others. */
  readonly later: TokenBytes;
}

const vocabularies = new WeakMap<Tokenizer, Vocabulary>();

/** @param V logits of a step: ids from the vocabulary's end on have no bytes */
export function vocabularyOf(tokenizer: Tokenizer, V: number): Vocabulary {
  let known = vocabularies.get(tokenizer);
  if (!known) {
    const bytesOf = (continues: boolean) => {
      const text = tokenizer.stream({ continues });
      return Array.from({ length: V }, (_, id) =>
        tokenizer.has(id) && !tokenizer.isControl(id) ? text.bytesHere(id) : undefined,
      ).map((bytes) => (bytes && bytes.length <= LONGEST_TOKEN ? bytes : undefined));
    };
    const later = bytesOf(true);
    const first = bytesOf(false);
    const isSame = first.every((bytes, id) => bytes?.length === later[id]?.length);
    const laterBytes = new TokenBytes(later);
    known = { later: laterBytes, first: isSame ? laterBytes : new TokenBytes(first) };
    vocabularies.set(tokenizer, known);
  }
  return known;
}

const isBlank = (byte: number): boolean => byte === 9 || byte === 10 || byte === 13 || byte === 32;

const strict = new TextDecoder("utf-8", { fatal: true });

/** Characters of a text that a JSON string can hold as it is; 0 for other bytes. */
function plainLength(bytes: Uint8Array): number {
  if (bytes.some((byte) => byte < 0x20 || byte === 0x22 || byte === 0x5c)) return 0;
  try {
    strict.decode(bytes);
  } catch {
    return 0;
  }
  return bytes.reduce((count, byte) => count + Number((byte & 0xc0) !== 0x80), 0);
}
