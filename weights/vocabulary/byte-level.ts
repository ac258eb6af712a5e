// A byte-level vocabulary as tokenizer.json has it, and the patterns that split a text into words.
import type { JsonObject } from "../json.ts";
import { type TokenizerModel, type Tokens, vocabOf } from "./tokens.ts";

const lead = "[^\\r\\n\\p{L}\\p{N}]?";
const blanks = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
/** Llama 3's pattern. @param number how many digits are a word */
export const llama3Pattern = (number: string): string =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|${lead}\\p{L}+|${number}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${blanks}`;
const upper = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
const lower = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
export const tekkenPattern = `${lead}${upper}*${lower}+|${lead}${upper}+${lower}*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${blanks}`;

/** What happens to a text before its words are encoded. */
export interface Pre {
  readonly steps: readonly JsonObject[];
  /** Words that are tokens are not merged from parts. */
  readonly wholeWords?: true;
  readonly addBos?: true;
  readonly normalizer?: JsonObject;
}

const bytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
/** Bytes of words that GPT-2's pattern finds. */
export const gpt2 = { ...bytes, use_regex: true };
/** Words by one pattern after the other, then bytes. */
export const splitBy = (...patterns: readonly string[]): readonly JsonObject[] => [
  ...patterns.map((Regex) => ({ type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false })),
  bytes,
];
export const tekken: Pre = { steps: splitBy(tekkenPattern), wholeWords: true, addBos: true };

/** @param merges the pair that is merged first in front */
export const byteLevelModel = (
  tokens: Tokens,
  merges: readonly (readonly [left: string, right: string])[],
  pre: Pre,
): TokenizerModel => ({
  addBos: pre.addBos ?? false,
  json: {
    normalizer: pre.normalizer ?? null,
    pre_tokenizer: { type: "Sequence", pretokenizers: pre.steps },
    decoder: gpt2,
    model: {
      type: "BPE",
      vocab: vocabOf(tokens),
      merges,
      ignore_merges: pre.wholeWords ?? false,
      byte_fallback: false,
    },
  },
});
