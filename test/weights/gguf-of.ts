// Writes a checkpoint of floats as GGUF, as llama.cpp's converter does, in one file or split.
import { requiredInFile } from "../../weights/gguf/names.ts";
import type { Checkpoint } from "../../weights/index.ts";
import { key as setKey } from "./broken-gguf.ts";
import {
  f32,
  type GgufToWrite,
  i32,
  list,
  smallGguf,
  type TensorToWrite,
  type Typed,
  text,
  u16,
  u32,
  writeGguf,
} from "./gguf-file.ts";

const TYPES: Readonly<Record<string, number>> = { F32: 0, F16: 1, BF16: 30 };

/** @param architecture as GGUF names it: but for "qwen3" the rows of q and k are interleaved */
export async function ggufOf(
  checkpoint: Checkpoint,
  architecture: "llama" | "mistral3" | "qwen3",
): Promise<GgufToWrite> {
  const { config } = checkpoint;
  const tensors: TensorToWrite[] = [];
  for (const { name, role, stored, shape } of requiredInFile(config)) {
    const tensor = checkpoint.tensors.get(name)!;
    const rows: Uint8Array[] = [];
    for await (const { bytes } of checkpoint.readRows(tensor, { maxBytes: 2 ** 20 })) rows.push(bytes);
    const bytes = Buffer.concat(rows);
    const rotated = architecture !== "qwen3" && (role === "qProj" || role === "kProj");
    tensors.push({
      name: stored,
      dims: [...shape].reverse(),
      type: TYPES[tensor.encoding]!,
      bytes: rotated ? interleaved(bytes, shape[0]!, config.d) : bytes,
    });
  }
  const { D, F, H, G, L, V, d, maxPositions } = config;
  const sizes = {
    ...{ embedding_length: D, feed_forward_length: F, block_count: L, vocab_size: V },
    context_length: maxPositions,
    ...{ "attention.head_count": H, "attention.head_count_kv": G },
    ...{ "attention.key_length": d, "attention.value_length": d },
  };
  return {
    ...{ magic: "GGUF", version: 3, alignment: 32, tensors },
    pairs: [
      ["general.architecture", text(architecture)],
      ...Object.entries(sizes).map(([key, value]): [string, Typed] => [`${architecture}.${key}`, u32(value)]),
      [`${architecture}.attention.layer_norm_rms_epsilon`, f32(config.eps)],
      [`${architecture}.rope.freq_base`, f32(config.ropeTheta)],
    ],
  };
}

/** The tokenizer of a SentencePiece checkpoint whose merges are in the order of its ids. */
export async function sentencePiecePairs(checkpoint: Checkpoint): Promise<[string, Typed][]> {
  const { tokenizer, tokenizerConfig } = (await checkpoint.vocabulary())!;
  const { vocab } = tokenizer["model"] as { vocab: Readonly<Record<string, number>> };
  const texts = Object.keys(vocab).sort((a, b) => vocab[a]! - vocab[b]!);
  const kind = (token: string): number => {
    if (token === "<unk>") return 2;
    if (token === "<s>" || token === "</s>") return 3;
    return /^<0x[0-9A-F]{2}>$/.test(token) ? 6 : 1;
  };
  return [
    ["tokenizer.ggml.model", text("llama")],
    ["tokenizer.ggml.tokens", list(texts.map(text))],
    ["tokenizer.ggml.scores", list(texts.map((_, id) => f32(-id)))],
    ["tokenizer.ggml.token_type", list(texts.map((token) => i32(kind(token))))],
    ["tokenizer.ggml.bos_token_id", u32(vocab["<s>"]!)],
    ["tokenizer.ggml.eos_token_id", u32(vocab["</s>"]!)],
    ["tokenizer.chat_template", text(String(tokenizerConfig?.["chat_template"]))],
  ];
}

/** The parts of a split file, by their names. */
export function splitGguf(stem: string, file: GgufToWrite, count: number): Map<string, Uint8Array> {
  const perPart = Math.ceil(file.tensors.length / count);
  const five = (n: number): string => `${n}`.padStart(5, "0");
  return new Map(
    Array.from({ length: count }, (_, i) => {
      const split: [string, Typed][] = [
        ["split.no", u16(i)],
        ["split.count", u16(count)],
        ["split.tensors.count", i32(file.tensors.length)],
      ];
      const pairs = [...(i === 0 ? file.pairs : []), ...split];
      const tensors = file.tensors.slice(i * perPart, (i + 1) * perPart);
      return [`${stem}-${five(i + 1)}-of-${five(count)}.gguf`, writeGguf({ ...file, pairs, tensors })];
    }),
  );
}

/** Of a file with the header of `mistral7bHeader`. */
export const MISTRAL_7B_BYTES = 2 ** 32;

/** The beginning of Mistral 7B in Q4_0, of v0.1 if `ropeTheta` is 10,000. */
export function mistral7bHeader(ropeTheta: number): Uint8Array<ArrayBuffer> {
  const file = smallGguf();
  const sizes = { embedding_length: 4096, block_count: 32, feed_forward_length: 14336, vocab_size: 32000 };
  const heads = { "attention.head_count": 32, "attention.head_count_kv": 8 };
  for (const [key, value] of Object.entries({ ...sizes, ...heads })) setKey(`llama.${key}`, u32(value))(file);
  setKey("llama.rope.freq_base", f32(ropeTheta))(file);
  const [D, F] = [4096, 14336];
  let offset = 0;
  const tensor = (name: string, ...dims: number[]) => {
    const weights = dims.reduce((a, b) => a * b);
    const placed = { name, dims, type: dims.length > 1 ? 2 : 0, offset, bytes: new Uint8Array() };
    offset += dims.length > 1 ? (weights / 32) * 18 : 4 * weights;
    return placed;
  };
  const layer = (i: number) => [
    ...[tensor(`blk.${i}.attn_norm.weight`, D), tensor(`blk.${i}.ffn_norm.weight`, D)],
    ...[tensor(`blk.${i}.attn_q.weight`, D, D), tensor(`blk.${i}.attn_k.weight`, D, 1024)],
    ...[tensor(`blk.${i}.attn_v.weight`, D, 1024), tensor(`blk.${i}.attn_output.weight`, D, D)],
    ...[tensor(`blk.${i}.ffn_gate.weight`, D, F), tensor(`blk.${i}.ffn_up.weight`, D, F)],
    tensor(`blk.${i}.ffn_down.weight`, F, D),
  ];
  file.tensors = [
    ...[
      tensor("token_embd.weight", D, 32000),
      tensor("output.weight", D, 32000),
      tensor("output_norm.weight", D),
    ],
    ...Array.from({ length: 32 }, (_, i) => layer(i)).flat(),
  ];
  const header = new Uint8Array(2 ** 17);
  header.set(writeGguf(file));
  return header;
}

/** Rows i and i + d/2 of a head become its rows 2i and 2i + 1. */
function interleaved(bytes: Uint8Array, rows: number, d: number): Uint8Array {
  const rowBytes = bytes.length / rows;
  const row = (n: number): number => n - (n % d) + Math.floor((n % d) / 2) + (n % 2) * (d / 2);
  return Buffer.concat(
    Array.from({ length: rows }, (_, n) => bytes.subarray(row(n) * rowBytes, (row(n) + 1) * rowBytes)),
  );
}
