// The tokenizer of a GGUF file gives the ids of the original's files.
import mistral from "mistral-tokenizer-js";
import { expect, test } from "vitest";
import type { TokenizerFiles } from "../../tokenizer/index.ts";
import type { GgufValue } from "../../weights/gguf/header.ts";
import { Metadata } from "../../weights/gguf/metadata.ts";
import { readVocabulary } from "../../weights/gguf/vocabulary.ts";
import { folderSource, openCheckpoint } from "../../weights/node.ts";
import {
  byteLevelFiles,
  mistralV1Files,
  openTokenizer,
  readGolden,
  tinyFiles,
} from "../tokenizer/fixtures.ts";

const texts = readGolden<{ readonly text: string }[]>("tokenizer_cases.json")
  .map(({ text }) => text)
  .filter((_, i) => i % 4 === 0);

const metadata = (values: Readonly<Record<string, GgufValue>>) => {
  const entries = Object.entries(values).map(([key, value]): [string, GgufValue] => [
    `tokenizer.${key}`,
    value,
  ]);
  return new Metadata({ file: "model.gguf", metadata: new Map(entries) });
};

/** As llama.cpp's converter writes the vocabulary of SentencePiece. */
const sentencePiece = (tokens: readonly string[], score: (token: string, id: number) => number) => ({
  "ggml.model": "llama",
  "ggml.tokens": tokens,
  "ggml.scores": tokens.map(score),
  "ggml.token_type": tokens.map((token, id) => (id === 0 ? 2 : id < 3 ? 3 : /^<0x..>$/.test(token) ? 6 : 1)),
  ...{ "ggml.bos_token_id": 1, "ggml.eos_token_id": 2, "ggml.unknown_token_id": 0 },
});

/** Tokens in the order of their ids: an object has names like "7" first. */
const inOrder = (vocab: Readonly<Record<string, number>>): string[] =>
  Object.entries(vocab)
    .sort(([, a], [, b]) => a - b)
    .map(([token]) => token);

/** Both give the same ids and texts. */
function agree(values: Readonly<Record<string, GgufValue>>, files: TokenizerFiles, some = texts): void {
  const [ours, theirs] = [openTokenizer(readVocabulary(metadata(values))!), openTokenizer(files)];
  expect([ours.size, ours.bosId, ours.eosId]).toEqual([theirs.size, theirs.bosId, theirs.eosId]);
  for (const text of some) {
    const ids = theirs.encode(text);
    expect(ours.encode(text), text).toEqual(ids);
    expect(ours.decode(ids)).toBe(theirs.decode(ids));
  }
  expect(some.length).toBeGreaterThan(10);
}

test("Mistral 7B's 32,000 tokens, by their scores", () => {
  // Pieces of spaces have the lowest score.
  const score = (token: string, id: number) => (/^▁▁+$/.test(token) ? -1e9 : Math.min(0, 259 - id));
  agree(sentencePiece(mistral.vocabById, score), mistralV1Files());
});

test("the embedded model's tokens, with its template", () => {
  const files = tinyFiles();
  const { vocab } = files.tokenizer["model"] as { vocab: Record<string, number> };
  const template = files.tokenizerConfig["chat_template"] as string;
  const values = sentencePiece(inOrder(vocab), (_, id) => Math.min(0, 259 - id));
  agree({ ...values, chat_template: template }, files);
  const chat = [{ role: "user", content: "Hello </s>" }] as const;
  const ours = openTokenizer(readVocabulary(metadata({ ...values, chat_template: template }))!);
  expect(ours.encodeChat(chat)).toEqual(openTokenizer(files).encodeChat(chat));
});

test("byte-level tokens with merges, split as GPT-2 and as Llama 3 do", () => {
  const files = byteLevelFiles();
  const { vocab, merges } = files.tokenizer["model"] as { vocab: Record<string, number>; merges: string[] };
  const controls = files.tokenizer["added_tokens"] as { content: string }[];
  const tokens = [...inOrder(vocab), ...controls.map(({ content }) => content)];
  const values = {
    ...{ "ggml.model": "gpt2", "ggml.pre": "gpt-2", "ggml.tokens": tokens, "ggml.merges": merges },
    "ggml.token_type": tokens.map((_, id) => (id < tokens.length - 2 ? 1 : 3)),
    "ggml.eos_token_id": tokens.length - 1,
  };
  agree(values, files, [...texts.slice(0, 200), "the <|im_end|> in 12345", "  é\n\n あ"]);
  const ofLlama3 = readVocabulary(metadata({ ...values, "ggml.pre": "llama-bpe" }))!;
  expect(openTokenizer(ofLlama3).encode("the in").length).toBe(4);
  expect(() => readVocabulary(metadata({ ...values, "ggml.pre": "new-bpe" }))).toThrow(
    /model\.gguf: tokenizer\.ggml\.pre: expected one of llama-bpe, .*, got "new-bpe"/,
  );
});

test("a list of named templates; tokens that a user defined are no control tokens", () => {
  const values = {
    ...sentencePiece(["<unk>", "<s>", "</s>", "a", "<tool>"], (_, id) => -id),
    ...{ "ggml.token_type": [2, 3, 3, 1, 4], chat_template: "plain", "chat_template.tool_use": "tools" },
  };
  const { tokenizer, tokenizerConfig } = readVocabulary(metadata(values))!;
  expect(tokenizerConfig!["chat_template"]).toEqual([
    { name: "default", template: "plain" },
    { name: "tool_use", template: "tools" },
  ]);
  const added = tokenizer["added_tokens"] as { content: string; special: boolean }[];
  expect(added.map(({ content, special }) => [content, special])).toEqual([
    ...[
      ["<unk>", true],
      ["<s>", true],
      ["</s>", true],
    ],
    ["<tool>", false],
  ]);
});

test("llama.cpp's default splits marks, words and digits by threes", () => {
  const { vocab, merges } = byteLevelFiles().tokenizer["model"] as {
    vocab: Record<string, number>;
    merges: string[];
  };
  const more = ["1 2", "12 3", "123 4", ". .", ".. .", "Ġ .", "Ġ Ġ", "s .", "Ċ Ċ"];
  const tokens = [...inOrder(vocab), ...more.map((merge) => merge.replace(" ", ""))];
  const values = {
    ...{ "ggml.model": "gpt2", "ggml.tokens": tokens, "ggml.merges": [...merges, ...more] },
    "ggml.eos_token_id": tokens.length - 1,
  };
  const words = (pre: Record<string, string>, text: string) => {
    const tokenizer = openTokenizer(readVocabulary(metadata({ ...values, ...pre }))!);
    return tokenizer.encode(text).map((id) => tokenizer.tokenText(id));
  };
  for (const pre of [{}, { "ggml.pre": "default" }]) {
    expect(words(pre, " the 12345s...")).toEqual(["Ġthe", "Ġ", "123", "4", "5", "s", "..."]);
    expect(words(pre, " the .\n\n  the")).toEqual(["Ġthe", "Ġ", ".", "ĊĊ", "Ġ", "Ġthe"]);
  }
  expect(words({ "ggml.pre": "gpt-2" }, " the .")).toEqual(["Ġthe", "Ġ."]);
});

test("a fixture's tokenizer reads and writes text", async () => {
  const folder = new URL("../golden/formats/gguf_q4_0", import.meta.url).pathname;
  const vocabulary = (await (await openCheckpoint(folderSource(folder))).vocabulary())!;
  const tokenizer = openTokenizer(vocabulary);
  const ids = tokenizer.encode("the é");
  expect(ids[0]).toBe(1);
  expect(tokenizer.decode(ids)).toBe("the é");
});
