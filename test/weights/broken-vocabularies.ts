// Broken tokenizer.model and tekken.json files of every known kind. Each must be refused, naming the field.
import {
  bytesField,
  type ModelToWrite,
  numberField,
  smallModel,
  type TekkenToWrite,
  tekkenOf,
  writeModel,
} from "./vocabulary-files.ts";

interface BrokenVocabulary {
  readonly name: string;
  readonly file: string;
  readonly bytes: () => Uint8Array;
  /** What the message must match. */
  readonly expect: RegExp;
}

const model = (name: string, expect: RegExp, change: (model: ModelToWrite) => void): BrokenVocabulary => ({
  ...{ name, file: "tokenizer.model", expect },
  bytes() {
    const right = smallModel();
    change(right);
    return writeModel(right);
  },
});

const raw = (
  name: string,
  expect: RegExp,
  change: (bytes: Uint8Array) => Uint8Array | readonly number[],
): BrokenVocabulary => ({
  ...{ name, file: "tokenizer.model", expect },
  bytes: () => new Uint8Array(change(writeModel(smallModel()))),
});

const piece = (name: string, expect: RegExp, bytes: readonly number[]): BrokenVocabulary =>
  model(name, expect, ({ pieces }) => pieces.push({ text: "", raw: bytes }));

const tekken = (name: string, expect: RegExp, change: (file: TekkenToWrite) => void): BrokenVocabulary => ({
  ...{ name, file: "tekken.json", expect },
  bytes() {
    const right = tekkenOf(["ab", "abc"]);
    change(right);
    return new TextEncoder().encode(JSON.stringify(right));
  },
});

const entry = (name: string, expect: RegExp, at: number, fields: Record<string, unknown>): BrokenVocabulary =>
  tekken(name, expect, ({ vocab }) => Object.assign(vocab[at]!, fields));
const special = (name: string, expect: RegExp, fields: Record<string, unknown>): BrokenVocabulary =>
  tekken(name, expect, ({ special_tokens: list }) => Object.assign(list![4]!, fields));
const config = (name: string, expect: RegExp, fields: Record<string, unknown>): BrokenVocabulary =>
  tekken(name, expect, (file) => Object.assign(file.config, fields));

/** The number of the piece that is added. */
const LAST = 3 + 256 + 7;
const score = (...bytes: number[]) => [2 * 8 + 5, ...bytes];
const word = bytesField(1, [0x78]);

export const brokenVocabularies: readonly BrokenVocabulary[] = [
  raw("an empty file", /pieces: expected one of the type unknown, got 0/, () => []),
  raw("a text", /expected /, () => [...new TextEncoder().encode("version https://git-lfs")]),
  raw(
    "a file that ends in a piece",
    /byte \d+: expected at most the \d bytes that follow, got a length/,
    (b) => b.subarray(0, 7),
  ),
  raw("a file that ends in a number", /byte \d+: expected a whole number, got the end/, (b) => [...b, 0x80]),
  raw(
    "a length beyond the file",
    /expected at most the 0 bytes that follow, got a length of 2147483647/,
    (b) => [...b, ...[0x0a, 0xff, 0xff, 0xff, 0xff, 0x07]],
  ),
  raw(
    "a length of 2^63",
    /expected at most the 0 bytes that follow, got a length of 9223372036854776000/,
    (b) => [...b, ...[0x0a, ...new Array<number>(9).fill(0x80), 0x01]],
  ),
  raw("a number without an end", /expected a number of at most 10 bytes/, (b) => [
    ...b,
    ...new Array<number>(20).fill(0xff),
  ]),
  raw("field 0", /expected a field from 1/, (b) => [...b, 0, 0]),
  raw("a group", /expected a kind of value .*, got 3/, (b) => [...b, 0x0b]),
  piece("a piece without a text", /pieces\[266\]\.piece: expected a text of 1 to 1024 characters, got none/, [
    ...score(0, 0, 0, 0),
  ]),
  piece(
    "a piece whose text is a number",
    /pieces\[266\]\.piece: expected bytes, got the number 7/,
    numberField(1, 7),
  ),
  piece("a piece that is not UTF-8", /pieces\[266\]\.piece: expected UTF-8 text/, bytesField(1, [0xff])),
  piece("a piece of 5,000 bytes", /pieces\[266\]\.piece: expected .*1024 characters, got 5000 bytes/, [
    ...bytesField(1, new Array<number>(5000).fill(0x61)),
  ]),
  piece("a score that is no number", /pieces\[266\]\.score: expected a number, got NaN/, [
    ...[...word, ...score(0, 0, 0xc0, 0x7f)],
  ]),
  piece("a score that is cut off", /pieces\[266\], byte \d: expected at most the 2 bytes/, [
    ...word,
    ...score(0, 0),
  ]),
  piece("a type of 9", /pieces\[266\]\.type: expected a type from 1 to 6, got 9/, [
    ...word,
    ...numberField(3, 9),
  ]),
  model(
    "a byte by another name",
    /pieces\[5\]\.piece: expected a byte, as "<0x0A>", got "x"/,
    ({ pieces }) => {
      pieces[5] = { text: "x", type: 6 };
    },
  ),
  model(
    "a byte that is missing",
    /pieces: expected a piece for each byte, or none, got 255/,
    ({ pieces }) => {
      pieces.splice(100, 1);
    },
  ),
  model(
    "a piece twice",
    new RegExp(`pieces\\[${LAST}\\]\\.piece: expected a text of its own`),
    ({ pieces }) => {
      pieces.push({ text: "▁the" });
    },
  ),
  model("no unknown piece", /pieces: expected one of the type unknown, got 0/, ({ pieces }) => {
    pieces[0] = { text: "<unk>", type: 3 };
  }),
  model("unigram", /trainer_spec\.model_type: expected BPE \(2\), got 1/, (file) => {
    file.trainer = [];
  }),
  model(
    "spaces as suffixes",
    /trainer_spec\.treat_whitespace_as_suffix: expected false, got true/,
    (file) => {
      file.trainer.push(...numberField(24, 1));
    },
  ),
  model(
    "a normalizer with a table",
    /normalizer_spec\.precompiled_charsmap: expected none, got 2 bytes/,
    (file) => {
      file.normalizer.push(...bytesField(2, [1, 2]));
    },
  ),
  model(
    "spaces that are removed",
    /normalizer_spec\.remove_extra_whitespaces: expected false, got true/,
    (file) => {
      file.normalizer = [];
    },
  ),
  model(
    "a flag of 7",
    /normalizer_spec\.add_dummy_prefix: expected true or false \(1 or 0\), got 7/,
    (file) => {
      file.normalizer.push(...numberField(3, 7));
    },
  ),
  tekken("no config", /config: expected an object, got nothing/, (file) => {
    delete (file as Partial<TekkenToWrite>).config;
  }),
  config("another pattern", /config\.pattern: expected the one of Mistral's models, got "\(a\+\)\+"/, {
    pattern: "(a+)+",
  }),
  config("a vocabulary of 2^40", /config\.default_vocab_size: expected a whole number from 257 to 4194304/, {
    default_vocab_size: 2 ** 40,
  }),
  config(
    "more special tokens than tokens",
    /config\.default_num_special_tokens: expected a whole number from 1/,
    {
      default_num_special_tokens: 5000,
    },
  ),
  config("a size that is a text", /config\.default_vocab_size: .*, got "300"/, { default_vocab_size: "300" }),
  tekken("a list that is too short", /vocab: expected a list of at least 258, got one of 200/, (file) => {
    file.vocab.length = 200;
  }),
  entry("a rank out of order", /vocab\[256\]\.rank: expected 256, got 257/, 256, { rank: 257 }),
  entry("bytes that are not base64", /vocab\[256\]\.token_bytes: .*, got "a\*b="/, 256, {
    token_bytes: "a*b=",
  }),
  entry("base64 without its end", /vocab\[256\]\.token_bytes: .*, got "YWI"/, 256, { token_bytes: "YWI" }),
  entry("no bytes", /vocab\[256\]\.token_bytes: expected 1 to 1024 bytes in base64, got ""/, 256, {
    token_bytes: "",
  }),
  entry("another first byte", /vocab\[7\]\.token_bytes: expected the byte 7, got "YQ=="/, 7, {
    token_bytes: "YQ==",
  }),
  entry("a token twice", /vocab\[257\]: expected a token of its own, got that of id 286/, 257, {
    token_bytes: "YWI=",
  }),
  special(
    "a special rank twice",
    /special_tokens\[4\]\.rank: expected a rank of its own from 0 to 29, got 3/,
    {
      rank: 3,
    },
  ),
  special("a special rank of 30", /special_tokens\[4\]\.rank: .*, got 30/, { rank: 30 }),
  special("a special token without a text", /special_tokens\[4\]\.token_str: expected a text/, {
    token_str: null,
  }),
  special(
    "a special token twice",
    /special_tokens of rank 4: expected a token of its own, got that of id 1/,
    {
      token_str: "<s>",
    },
  ),
  special("a flag that is a text", /special_tokens\[4\]\.is_control: expected true or false, got "no"/, {
    is_control: "no",
  }),
  tekken(
    "too many special tokens",
    /special_tokens: expected a list of at most 30, got one of 31/,
    (file) => {
      file.special_tokens = Array.from({ length: 31 }, (_, rank) => ({ rank, token_str: `<${rank}>` }));
    },
  ),
];
