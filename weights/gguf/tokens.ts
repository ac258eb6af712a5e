// The tokens of a GGUF file, and what their parts of tokenizer.json are.
import type { JsonObject } from "../json.ts";

/** Kinds of `tokenizer.ggml.token_type`. */
export const KIND = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** What tokenizer.json has besides its tokens, and the defaults of the kind of tokenizer. */
export interface TokenizerModel {
  readonly json: JsonObject;
  readonly addBos: boolean;
}

/** The tokens of a file, in the order of their ids. */
export interface Tokens {
  readonly texts: readonly string[];
  /** Of each token; see KIND. */
  readonly kinds: readonly number[];
}

/** `model.vocab`. Of equal tokens, texts become the last. */
export const vocabOf = ({ texts }: Tokens): JsonObject =>
  Object.fromEntries(texts.map((text, id) => [text, id]));
