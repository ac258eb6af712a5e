// Rules of a tokenizer.json that could take unbounded time or space are refused when it is opened.
import { describe, expect, it } from "vitest";
import { Tokenizer, TokenizerError } from "../../tokenizer/index.ts";
import { type Json, tinyFiles } from "./fixtures.ts";

const { tokenizer: good } = tinyFiles();
const model = good["model"] as Json;
const regex = (source: string, content = "") => ({ type: "Replace", pattern: { Regex: source }, content });
const grow = { type: "Replace", pattern: { String: "a" }, content: "aaaaaaaa" };
const nested = (depth: number): unknown =>
  depth === 0 ? { type: "NFC" } : { type: "Sequence", normalizers: [nested(depth - 1)] };
const prepended = (prepend: string) => ({ type: "Prepend", prepend });
const split = (source: string) => ({
  type: "Split",
  pattern: { Regex: source },
  behavior: "Isolated",
  invert: false,
});

const hostile: Record<string, [change: Json, where: string]> = {
  "a normalizer's nested quantifiers": [{ normalizer: regex("(a+)+$") }, "normalizer Replace.pattern.Regex"],
  "two quantifiers in a row": [{ normalizer: regex("a*a*b") }, "normalizer Replace.pattern.Regex"],
  "a pattern of nothing": [{ normalizer: regex("a*") }, "normalizer Replace.pattern.Regex"],
  "a pre-tokenizer's": [{ pre_tokenizer: split("(x|xx)*y") }, "pre_tokenizer Split.pattern.Regex"],
  "growing Replaces": [
    { normalizer: { type: "Sequence", normalizers: Array(20).fill(grow) } },
    "normalizer: expected a text at most 64 times as long",
  ],
  "a Prepend of 50 MB": [{ normalizer: prepended("a".repeat(5e7)) }, "normalizer Prepend.prepend"],
  "sequences in sequences": [{ normalizer: nested(5000) }, "normalizer: expected at most 8 nested sequences"],
  "growing decoders": [
    { decoder: { type: "Sequence", decoders: Array(20).fill(grow) } },
    "decoder: expected tokens at most 64 times as long",
  ],
  "an added token of 10 MB": [
    { added_tokens: [{ id: 2048, content: "x".repeat(1e7) }] },
    "added_tokens[0].content",
  ],
  "a token of 10 MB": [{ model: { ...model, vocab: { ["x".repeat(1e7)]: 0 }, merges: [] } }, "model.vocab"],
  dropout: [{ model: { ...model, dropout: 0.1 } }, "model.dropout"],
  "a prefix of subwords": [
    { model: { ...model, continuing_subword_prefix: "##" } },
    "continuing_subword_prefix",
  ],
  "a merge of no token": [{ model: { ...model, merges: ["q q"] } }, "model.merges[0]"],
  "a BERT post-processor": [{ post_processor: { type: "BertProcessing" } }, "post_processor.type"],
  "a template without a text": [
    { post_processor: { type: "TemplateProcessing", single: [] } },
    "post_processor.single",
  ],
  "an added token of another's id": [{ added_tokens: [{ id: 2048, content: "▁t" }] }, "added_tokens[0].id"],
};

describe("refused at once, naming the field", () => {
  it.each(Object.entries(hostile))("%s", (_, [change, where]) => {
    const open = () => Tokenizer.from({ tokenizer: { ...good, ...change } });
    expect(open).toThrow(TokenizerError);
    try {
      open();
    } catch (error) {
      expect((error as Error).message).toContain(where);
      expect((error as Error).message.length).toBeLessThan(500);
    }
  });
});

it("add_eos_token appends the end token", () => {
  const tokenizer = Tokenizer.from({ tokenizer: good, tokenizerConfig: { add_eos_token: true } });
  expect(tokenizer.encode("a").at(-1)).toBe(2);
  // A prompt is to be continued.
  expect(tokenizer.encode("a", { suffix: false })).toEqual(tokenizer.encode("a").slice(0, -1));
});

it("ignores truncation and padding: settings of a training run, which transformers resets at every call", () => {
  const left = {
    truncation: { direction: "Right", max_length: 2, strategy: "LongestFirst", stride: 0 },
    padding: { strategy: { Fixed: 9 }, direction: "Right", pad_id: 0, pad_type_id: 0, pad_token: "<unk>" },
  };
  const plain = Tokenizer.from({ tokenizer: good });
  const odd = Tokenizer.from({ tokenizer: { ...good, ...left } });
  expect(odd.encode("Once upon a time")).toEqual(plain.encode("Once upon a time"));
});
