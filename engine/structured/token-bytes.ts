// What the tokens of a vocabulary add to a text. Made once for each tokenizer.
import type { Tokenizer } from "../../tokenizer/index.ts";
import { TokenTrie } from "./token-trie.ts";

/** Bytes of a token, at most: longer ones are never allowed. */
const LONGEST_TOKEN = 4096;

export class TokenBytes {
  /** By id; undefined: a control token, or none. */
  readonly tokens: readonly (Uint8Array | undefined)[];
  readonly trie: TokenTrie;
  /** Bytes of the longest token. */
  readonly longest: number;

  constructor(tokens: readonly (Uint8Array | undefined)[]) {
    this.tokens = tokens;
    this.trie = new TokenTrie(tokens);
    this.longest = tokens.reduce((most, bytes) => Math.max(most, bytes?.length ?? 0), 0);
  }
}

export interface Vocabulary {
  /** Of the first token of an answer: many tokenizers strip a space there. */
  readonly first: TokenBytes;
  /** Of the others. */
  readonly later: TokenBytes;
  /** The tokens of a text, as the tokenizer splits it. */
  encode(text: string): readonly number[];
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
    known = {
      later: laterBytes,
      first: isSame ? laterBytes : new TokenBytes(first),
      encode: (text) => tokenizer.encode(text, { bos: false, suffix: false, special: false }),
    };
    vocabularies.set(tokenizer, known);
  }
  return known;
}
