// The tokens of a vocabulary that is no tokenizer.json, and what their parts of tokenizer.json are.
import type { JsonObject } from "../json.ts";

/** Kinds of tokens, as SentencePiece and GGUF number them. */
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

/** Characters of a token. Published ones have up to 256. */
export const MAX_TOKEN_LENGTH = 1024;

/** tokenizer.json */
export const tokenizerJson = (tokens: Tokens, { json }: TokenizerModel): JsonObject => ({
  version: "1.0",
  added_tokens: addedTokens(tokens),
  post_processor: null,
  ...json,
});

/** `model.vocab`. Of equal tokens, texts become the last. */
export const vocabOf = ({ texts }: Tokens): JsonObject =>
  Object.fromEntries(texts.map((text, id) => [text, id]));

/** Control tokens are special. Those that a user defined are only found before the text is split. */
export function addedTokens({ texts, kinds }: Tokens): JsonObject[] {
  return texts.flatMap((content, id) => {
    const kind = kinds[id];
    const special = kind === KIND.control || kind === KIND.unknown;
    if ((!special && kind !== KIND.userDefined) || content === "") return [];
    return [{ id, content, special, normalized: false, lstrip: false, rstrip: false, single_word: false }];
  });
}

/**
 * Every way to make a piece of two others, in the order of `pieces`, then of the ids of the two. The
 * tokenizer refuses a vocabulary with longer pieces than are split here.
 * @param pieces ids, the one that is merged first in front
 */
export function mergesOf(
  pieces: readonly number[],
  texts: readonly string[],
): [left: string, right: string][] {
  const ids = new Map(texts.map((text, id) => [text, id]));
  return pieces.flatMap((id) => {
    const piece = texts[id] ?? "";
    if (piece.length > MAX_TOKEN_LENGTH) return [];
    const pairs: { readonly pair: [left: string, right: string]; readonly a: number; readonly b: number }[] =
      [];
    for (let at = 1; at < piece.length; at++) {
      const pair: [left: string, right: string] = [piece.slice(0, at), piece.slice(at)];
      const [a, b] = pair.map((part) => ids.get(part));
      if (a !== undefined && b !== undefined) pairs.push({ pair, a, b });
    }
    return pairs.sort((x, y) => x.a - y.a || x.b - y.b).map(({ pair }) => pair);
  });
}
