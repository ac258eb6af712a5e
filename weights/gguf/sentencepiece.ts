// A SentencePiece vocabulary as tokenizer.json has it: scores become an order of merges.
import type { Metadata } from "./metadata.ts";
import { KIND, type TokenizerModel, type Tokens, vocabOf } from "./tokens.ts";

const SCORES = "tokenizer.ggml.scores";

export function sentencePieceModel(metadata: Metadata, tokens: Tokens): TokenizerModel {
  const { texts, kinds } = tokens;
  const scores = metadata.numbers(SCORES);
  if (scores?.length !== texts.length)
    throw metadata.wrong(SCORES, `${texts.length} numbers, one for each token`);
  const prefix = metadata.flag("tokenizer.ggml.add_space_prefix") ?? true;
  const unknown = kinds.indexOf(KIND.unknown);
  const space = { type: "Replace", pattern: { String: " " }, content: "▁" };
  return {
    addBos: true,
    json: {
      normalizer: {
        type: "Sequence",
        normalizers: [...(prefix ? [{ type: "Prepend", prepend: "▁" }] : []), space],
      },
      pre_tokenizer: null,
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
        merges: mergesOf(tokens, scores),
        unk_token: texts[metadata.number("tokenizer.ggml.unknown_token_id") ?? unknown] ?? null,
        fuse_unk: true,
        byte_fallback: kinds.includes(KIND.byte),
      },
    },
  };
}

/**
 * Every way to make a piece of two others: the piece with the highest score first, then the one with the
 * lowest id. SentencePiece merges the pair with the highest score, so the order gives the same.
 */
function mergesOf({ texts, kinds }: Tokens, scores: readonly number[]): [left: string, right: string][] {
  const ids = new Map(texts.map((text, id) => [text, id]));
  const score = (id: number): number => scores[id] ?? 0;
  const pieces = [...texts.keys()].filter((id) => kinds[id] === KIND.normal);
  pieces.sort((a, b) => score(b) - score(a) || a - b);
  return pieces.flatMap((id) => {
    const piece = texts[id] ?? "";
    const pairs: [left: string, right: string][] = [];
    for (let at = 1; at < piece.length; at++) {
      const [left, right] = [piece.slice(0, at), piece.slice(at)];
      if (ids.has(left) && ids.has(right)) pairs.push([left, right]);
    }
    const place = (text: string): number => ids.get(text) ?? 0;
    return pairs.sort(([a, b], [c, d]) => place(a) - place(c) || place(b) - place(d));
  });
}
