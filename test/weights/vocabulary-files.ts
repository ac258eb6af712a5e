// Writes tokenizer.model and tekken.json, right ones and wrong ones.
import mistral from "mistral-tokenizer-js";

const varint = (value: number | bigint): number[] => {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
};

const utf8 = (text: string): number[] => [...new TextEncoder().encode(text)];
const f32 = (value: number): number[] => [...new Uint8Array(new Float32Array([value]).buffer)];
export const numberField = (field: number, value: number | bigint): number[] => [
  ...varint(field * 8),
  ...varint(value),
];
export const bytesField = (field: number, bytes: readonly number[]): number[] => [
  ...varint(field * 8 + 2),
  ...varint(bytes.length),
  ...bytes,
];

export interface PieceToWrite {
  readonly text: string | readonly number[];
  readonly score?: number;
  readonly type?: number;
  /** Instead of the fields above. */
  readonly raw?: readonly number[];
}

export interface ModelToWrite {
  pieces: PieceToWrite[];
  trainer: number[];
  normalizer: number[];
}

const pieceBytes = ({ text, score = 0, type, raw }: PieceToWrite): readonly number[] =>
  raw ?? [
    ...bytesField(1, typeof text === "string" ? utf8(text) : text),
    ...[2 * 8 + 5, ...f32(score)],
    ...(type === undefined ? [] : numberField(3, type)),
  ];

export const writeModel = ({ pieces, trainer, normalizer }: ModelToWrite): Uint8Array =>
  new Uint8Array(
    [
      ...pieces.map((piece) => bytesField(1, pieceBytes(piece))),
      bytesField(2, trainer),
      bytesField(3, normalizer),
    ].flat(),
  );

const byteName = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;

/** Control tokens, bytes and a few pieces. */
export const smallModel = (...controls: readonly string[]): ModelToWrite => ({
  pieces: [
    ...[{ text: "<unk>", type: 2 }, ...["<s>", "</s>", ...controls].map((text) => ({ text, type: 3 }))],
    ...Array.from({ length: 256 }, (_, byte) => ({ text: byteName(byte), type: 6 })),
    ...["▁t", "he", "▁the", "▁", "t", "h", "e"].map((text, i) => ({ text, score: -i })),
  ],
  // BPE; byte_fallback; bos_id, eos_id; pad_id -1.
  trainer: [
    numberField(3, 2),
    numberField(35, 1),
    numberField(41, 1),
    numberField(42, 2),
    numberField(43, -1),
  ].flat(),
  // add_dummy_prefix; remove_extra_whitespaces.
  normalizer: [...bytesField(1, utf8("identity")), ...numberField(3, 1), ...numberField(4, 0)],
});

/** The pattern of all files of Mistral. */
const PATTERN =
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|" +
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|" +
  "\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

export interface TekkenToWrite {
  config: Record<string, unknown>;
  vocab: Record<string, unknown>[];
  special_tokens?: Record<string, unknown>[];
}

/**
 * A tekken.json of single bytes, then `texts`, with 30 special tokens, a few of them named. The list ends in
 * two tokens that are not used.
 */
export function tekkenOf(texts: readonly string[]): TekkenToWrite {
  const bytes = [
    ...Array.from({ length: 256 }, (_, byte) => Buffer.from([byte])),
    ...[...texts, "not used", "neither"].map((text) => Buffer.from(text)),
  ];
  const named = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"];
  return {
    config: {
      pattern: PATTERN,
      num_vocab_tokens: bytes.length,
      default_vocab_size: bytes.length - 2 + 30,
      default_num_special_tokens: 30,
      version: "v7",
    },
    vocab: bytes.map((each, rank) => ({
      ...{ rank, token_bytes: each.toString("base64") },
      token_str: each.toString("utf8"),
    })),
    special_tokens: named.map((token_str, rank) => ({ rank, token_str, is_control: true })),
  };
}

/** Mistral's first vocabulary, as texts: some 31,000 tokens with every script. */
export const manyTexts = (): string[] => {
  const texts = mistral.vocabById.slice(259).map((token) => token.replaceAll("▁", " "));
  return [...new Set(texts)].filter((text) => Buffer.byteLength(text) > 1);
};

/** tiktoken's rule, written plainly: a word that is a token, else pairs are merged, the lowest rank first. */
export function encoderByRanks({ vocab, config }: TekkenToWrite): (text: string) => number[] {
  const specials = config["default_num_special_tokens"] as number;
  const size = (config["default_vocab_size"] as number) - specials;
  const ranks = new Map(
    vocab
      .slice(0, size)
      .map((each, rank) => [Buffer.from(String(each["token_bytes"]), "base64").toString("latin1"), rank]),
  );
  // JavaScript's white space has U+FEFF, and lacks U+0085.
  const pattern = PATTERN.replaceAll("\\s", "\\p{White_Space}").replaceAll("\\S", "\\P{White_Space}");
  const encodeWord = (word: string): number[] => {
    const whole = Buffer.from(word).toString("latin1");
    const parts = ranks.has(whole) ? [whole] : [...whole];
    for (;;) {
      const merged = parts.slice(1).map((part, i) => ranks.get(`${parts[i]}${part}`) ?? Infinity);
      const best = Math.min(...merged);
      if (!Number.isFinite(best)) break;
      const at = merged.indexOf(best);
      parts.splice(at, 2, `${parts[at]}${parts[at + 1]}`);
    }
    return parts.map((part) => ranks.get(part)! + specials);
  };
  return (text) => [...text.matchAll(new RegExp(pattern, "gu"))].flatMap(([word]) => encodeWord(word));
}
