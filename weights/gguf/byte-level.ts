// A byte-level vocabulary as tokenizer.json has it. GGUF names the pattern that splits a text into words.
import type { JsonObject } from "../json.ts";
import type { Metadata } from "./metadata.ts";
import { type TokenizerModel, type Tokens, vocabOf } from "./tokens.ts";

const MERGES = "tokenizer.ggml.merges";
const PRE = "tokenizer.ggml.pre";
const UNSUPPORTED = "Sirocco does not know how it splits texts; choose another conversion of the model.";

const lead = "[^\\r\\n\\p{L}\\p{N}]?";
const blanks = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
/** Llama 3's pattern. @param number how many digits are a word */
const llama3 = (number: string): string =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|${lead}\\p{L}+|${number}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${blanks}`;
const upper = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
const lower = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
const tekken = `${lead}${upper}*${lower}+|${lead}${upper}+${lower}*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${blanks}`;

interface Pre {
  readonly steps: readonly JsonObject[];
  /** Words that are tokens are not merged from parts. */
  readonly wholeWords?: true;
  readonly addBos?: true;
  readonly normalizer?: JsonObject;
}

const bytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
const gpt2 = { ...bytes, use_regex: true };
const splitBy = (regex: string): readonly JsonObject[] => [
  { type: "Split", pattern: { Regex: regex }, behavior: "Isolated", invert: false },
  bytes,
];
const ofLlama3: Pre = { steps: splitBy(llama3("\\p{N}{1,3}")), wholeWords: true, addBos: true };
const ofQwen2: Pre = { steps: splitBy(llama3("\\p{N}")), normalizer: { type: "NFC" } };

/** By `tokenizer.ggml.pre`. */
const PRES: ReadonlyMap<string, Pre> = new Map([
  ["llama-bpe", ofLlama3],
  ["llama3", ofLlama3],
  ["llama-v3", ofLlama3],
  ["qwen2", ofQwen2],
  ["deepseek-r1-qwen", ofQwen2],
  ["tekken", { steps: splitBy(tekken), wholeWords: true, addBos: true }],
  ["smollm", { steps: [{ type: "Digits", individual_digits: true }, gpt2] }],
  ["gpt-2", { steps: [gpt2] }],
]);

export function byteLevelModel(metadata: Metadata, tokens: Tokens): TokenizerModel {
  const pre = PRES.get(metadata.text(PRE) ?? "");
  if (!pre) throw metadata.wrong(PRE, `one of ${[...PRES.keys()].join(", ")}`, UNSUPPORTED);
  const merges = metadata.texts(MERGES);
  if (!merges) throw metadata.wrong(MERGES, "a list of texts");
  return {
    addBos: pre.addBos ?? false,
    json: {
      normalizer: pre.normalizer ?? null,
      pre_tokenizer: { type: "Sequence", pretokenizers: pre.steps },
      decoder: gpt2,
      model: {
        type: "BPE",
        vocab: vocabOf(tokens),
        merges: merges.map((merge) => pairOf(merge, metadata)),
        ignore_merges: pre.wholeWords ?? false,
        byte_fallback: false,
      },
    },
  };
}

/** The two tokens of "left right". */
function pairOf(merge: string, metadata: Metadata): [left: string, right: string] {
  const at = merge.indexOf(" ", 1);
  if (at > 0 && at < merge.length - 1) return [merge.slice(0, at), merge.slice(at + 1)];
  throw metadata.wrong(MERGES, 'pairs, as "left right"');
}
