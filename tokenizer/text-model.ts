import { AddedTokenMatcher } from "./added-tokens.ts";
import { BytePairEncoder } from "./byte-pair-encoder.ts";
import type { ContentGuard } from "./content-guard.ts";
import { type Normalizer, readNormalizer } from "./huggingface/normalizer-rules.ts";
import { type PreTokenize, readPreTokenizer } from "./huggingface/pre-tokenizer-rules.ts";
import type { AddedToken, TokenizerFile } from "./huggingface/tokenizer-file.ts";

/** Characters of short words encoded between two yields. */
const STRIDE = 2000;

/** Text to ids: splits it at added tokens, normalizes the rest, splits that into words, and encodes each. */
export class TextModel {
  readonly #normalizer: Normalizer;
  readonly #preTokenize: PreTokenize;
  readonly #words: BytePairEncoder;
  readonly #rawTokens: AddedTokenMatcher;
  readonly #normalizedTokens: AddedTokenMatcher;

  constructor(file: TokenizerFile) {
    this.#normalizer = readNormalizer(file.normalizer);
    this.#preTokenize = readPreTokenizer(file.preTokenizer);
    const ids = new Map(file.vocabulary);
    // No merge may produce a control token: its spelling in a text stays text.
    const barred = new Set<string>();
    for (const { content, special } of file.addedTokens) {
      if (special && content !== file.unknownToken) barred.add(content);
    }
    for (const token of barred) ids.delete(token);
    const unknown = file.unknownToken === undefined ? undefined : ids.get(file.unknownToken);
    this.#words = new BytePairEncoder({ ...file.merging, ids, barred, unknown });
    const isNormalized = ({ normalized }: AddedToken) => normalized;
    this.#rawTokens = new AddedTokenMatcher(file.addedTokens.filter((token) => !isNormalized(token)));
    this.#normalizedTokens = new AddedTokenMatcher(file.addedTokens.filter(isNormalized), ({ content }) =>
      this.#normalizer.normalize(content),
    );
  }

  /** The ids of a text, with added tokens except those that `guard` hides. Yields about every 100 µs. */
  *encode(text: string, guard?: ContentGuard): Generator<undefined, number[]> {
    const ids: number[] = [];
    for (const [index, section] of (yield* this.#rawTokens.split(text)).entries()) {
      if (typeof section !== "string") ids.push(section.id);
      else yield* this.#encodeSection(section, index === 0, guard, ids);
      if (index % 64 === 63) yield;
    }
    return ids;
  }

  *#encodeSection(
    section: string,
    first: boolean,
    guard: ContentGuard | undefined,
    ids: number[],
  ): Generator<undefined, void> {
    yield;
    const parts = yield* this.#normalizedTokens.split(yield* this.#normalizer.steps(section));
    for (const [index, part] of parts.entries()) {
      if (typeof part !== "string") {
        ids.push(part.id);
        if (index % 64 === 63) yield;
        continue;
      }
      let work = 0;
      for (const word of this.#preTokenize(guard ? guard.restore(part) : part, first && index === 0)) {
        yield* this.#words.encode(word, ids);
        work += word.length + 1;
        if (work < STRIDE) continue;
        work = 0;
        yield;
      }
    }
  }
}
