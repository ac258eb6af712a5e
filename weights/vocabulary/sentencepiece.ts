// A SentencePiece vocabulary as tokenizer.json has it: scores become an order of merges.
import { KIND, mergesOf, type TokenizerModel, type Tokens, vocabOf } from "./tokens.ts";

interface Pieces extends Tokens {
  /** Of each token. */
  readonly scores: readonly number[];
  /** Whether each section of a text gets a space in front; `first`: only the text. */
  readonly prefix: boolean | "first";
  readonly unknown: string | undefined;
}

export function sentencePieceModel({ scores, prefix, unknown, ...tokens }: Pieces): TokenizerModel {
  const { texts, kinds } = tokens;
  const score = (id: number): number => scores[id] ?? 0;
  // SentencePiece merges the pair with the highest score, so this order gives the same.
  const pieces = [...texts.keys()].filter((id) => kinds[id] === KIND.normal);
  pieces.sort((a, b) => score(b) - score(a) || a - b);
  const space = { type: "Replace", pattern: { String: " " }, content: "▁" };
  const first = { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: false };
  const normalizers = [...(prefix ? [{ type: "Prepend", prepend: "▁" }] : []), space];
  return {
    addBos: true,
    json: {
      normalizer: prefix === "first" ? null : { type: "Sequence", normalizers },
      pre_tokenizer: prefix === "first" ? first : null,
      decoder: {
        type: "Sequence",
        decoders: [
          { type: "Replace", pattern: { String: "▁" }, content: " " },
          ...[{ type: "ByteFallback" }, { type: "Fuse" }],
          ...(prefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
        ],
      },
      model: {
        type: "BPE",
        vocab: vocabOf(tokens),
        merges: mergesOf(pieces, texts),
        unk_token: unknown ?? null,
        fuse_unk: true,
        byte_fallback: kinds.includes(KIND.byte),
      },
    },
  };
}
