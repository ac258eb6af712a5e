// A byte-level vocabulary in a GGUF file, which names the pattern that splits a text into words.
import { byteLevelModel, gpt2, llama3Pattern, type Pre, splitBy, tekken } from "../vocabulary/byte-level.ts";
import type { TokenizerModel, Tokens } from "../vocabulary/tokens.ts";
import type { Metadata } from "./metadata.ts";

const MERGES = "tokenizer.ggml.merges";
const PRE = "tokenizer.ggml.pre";
const UNSUPPORTED = "Sirocco does not know how it splits texts; choose another conversion of the model.";

const ofLlama3: Pre = { steps: splitBy(llama3Pattern("\\p{N}{1,3}")), wholeWords: true, addBos: true };
const ofQwen2: Pre = { steps: splitBy(llama3Pattern("\\p{N}")), normalizer: { type: "NFC" } };
/** llama.cpp's, for models that it does not know. */
const fallback: Pre = {
  steps: splitBy(
    "[\\p{P}\\$\\+<=>\\^~\\|]+",
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)",
    "\\p{N}+",
    "[0-9][0-9][0-9]",
  ),
};

/** By `tokenizer.ggml.pre`. */
const PRES: ReadonlyMap<string, Pre> = new Map([
  ["llama-bpe", ofLlama3],
  ["llama3", ofLlama3],
  ["llama-v3", ofLlama3],
  ["qwen2", ofQwen2],
  ["deepseek-r1-qwen", ofQwen2],
  ["tekken", tekken],
  ["smollm", { steps: [{ type: "Digits", individual_digits: true }, gpt2] }],
  ["gpt-2", { steps: [gpt2] }],
  ["default", fallback],
]);

export function ggufByteLevelModel(metadata: Metadata, tokens: Tokens): TokenizerModel {
  // Files without the key are older than it; llama.cpp reads them as "default".
  const pre = PRES.get(metadata.text(PRE) ?? "default");
  if (!pre) throw metadata.wrong(PRE, `one of ${[...PRES.keys()].join(", ")}`, UNSUPPORTED);
  const merges = metadata.texts(MERGES);
  if (!merges) throw metadata.wrong(MERGES, "a list of texts");
  return byteLevelModel(
    tokens,
    merges.map((merge) => pairOf(merge, metadata)),
    pre,
  );
}

/** The two tokens of "left right". */
function pairOf(merge: string, metadata: Metadata): [left: string, right: string] {
  const at = merge.indexOf(" ", 1);
  if (at > 0 && at < merge.length - 1) return [merge.slice(0, at), merge.slice(at + 1)];
  throw metadata.wrong(MERGES, 'pairs, as "left right"');
}
