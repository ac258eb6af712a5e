// Writes GGUF files, right ones and wrong ones.

/** A value with the number of its type. */
export interface Typed {
  readonly type: number;
  readonly bytes: Uint8Array;
}

export interface TensorToWrite {
  name: string;
  /** The length of a row first, as in the file. */
  dims: (number | bigint)[];
  type: number;
  /** From the start of the data. Default: after the tensor before. */
  offset?: number | bigint;
  bytes: Uint8Array;
}

export interface GgufToWrite {
  magic: string;
  version: number;
  /** Default: as many as there are. */
  tensorCount?: bigint;
  pairCount?: bigint;
  pairs: [key: string | Uint8Array, value: Typed][];
  tensors: TensorToWrite[];
  alignment: number;
}

const number = (bytes: number, set: (view: DataView) => void): Uint8Array => {
  const array = new Uint8Array(bytes);
  set(new DataView(array.buffer));
  return array;
};
const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

export const u16 = (value: number): Typed => ({
  type: 2,
  bytes: number(2, (v) => v.setUint16(0, value, true)),
});
export const u32 = (value: number): Typed => ({
  type: 4,
  bytes: number(4, (v) => v.setUint32(0, value, true)),
});
export const i32 = (value: number): Typed => ({
  type: 5,
  bytes: number(4, (v) => v.setInt32(0, value, true)),
});
export const f32 = (value: number): Typed => ({
  type: 6,
  bytes: number(4, (v) => v.setFloat32(0, value, true)),
});
export const bool = (value: boolean | number): Typed => ({ type: 7, bytes: new Uint8Array([Number(value)]) });
export const u64 = (value: number | bigint): Typed => ({
  type: 10,
  bytes: number(8, (v) => v.setBigUint64(0, BigInt(value), true)),
});
export const text = (value: string | Uint8Array): Typed => {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  return { type: 8, bytes: join(u64(bytes.length).bytes, bytes) };
};
/** @param type of the elements, if there are none */
export const list = (values: readonly Typed[], type = values[0]?.type ?? 4): Typed => ({
  type: 9,
  bytes: join(u32(type).bytes, u64(values.length).bytes, ...values.map(({ bytes }) => bytes)),
});

export function writeGguf(file: GgufToWrite): Uint8Array {
  const { magic, version, pairs, tensors, alignment } = file;
  const padded = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;
  let end = 0;
  const placed = tensors.map((tensor) => {
    const offset = tensor.offset ?? end;
    end = Math.max(end, padded((tensor.offset === undefined ? end : 0) + tensor.bytes.length));
    return { ...tensor, offset };
  });
  const header = join(
    new TextEncoder().encode(magic),
    u32(version).bytes,
    u64(file.tensorCount ?? tensors.length).bytes,
    u64(file.pairCount ?? pairs.length).bytes,
    ...pairs.flatMap(([key, { type, bytes }]) => [text(key).bytes, u32(type).bytes, bytes]),
    ...placed.flatMap(({ name, dims, type, offset }) => [
      text(name).bytes,
      u32(dims.length).bytes,
      ...dims.map((n) => u64(n).bytes),
      u32(type).bytes,
      u64(offset).bytes,
    ]),
  );
  const whole = new Uint8Array(padded(header.length) + end);
  whole.set(header);
  for (const { offset, bytes } of placed) {
    const at = padded(header.length) + Number(offset);
    if (at + bytes.length <= whole.length) whole.set(bytes, at);
  }
  return whole;
}

/** A model of one layer, heads of 16, and 40 tokens, of zeros in F32 and Q8_0. Each call makes another. */
export function smallGguf(): GgufToWrite {
  const [D, F, V] = [32, 64, 40];
  const vector = (name: string, length = D): TensorToWrite => ({
    ...{ name, dims: [length], type: 0 },
    bytes: new Uint8Array(4 * length),
  });
  const matrix = (name: string, N: number, K: number): TensorToWrite => ({
    ...{ name, dims: [K, N], type: 8 },
    bytes: new Uint8Array((N * K * 34) / 32),
  });
  const sizes = { context_length: 64, embedding_length: D, block_count: 1, feed_forward_length: F };
  const heads = { "attention.head_count": 2, "attention.head_count_kv": 1 };
  const tokens = [
    "<unk>",
    "<s>",
    "</s>",
    ...Array.from({ length: V - 3 }, (_, i) => String.fromCharCode(64 + i)),
  ];
  return {
    ...{ magic: "GGUF", version: 3, alignment: 32 },
    pairs: [
      ["general.architecture", text("llama")],
      ...Object.entries({ ...sizes, ...heads }).map(([key, value]): [string, Typed] => [
        `llama.${key}`,
        u32(value),
      ]),
      ["llama.attention.layer_norm_rms_epsilon", f32(1e-5)],
      ["tokenizer.ggml.model", text("llama")],
      ["tokenizer.ggml.tokens", list(tokens.map(text))],
      ["tokenizer.ggml.scores", list(tokens.map((_, i) => f32(-i)))],
      ["tokenizer.ggml.token_type", list(tokens.map((_, i) => i32([2, 3, 3][i] ?? 1)))],
      ["tokenizer.ggml.bos_token_id", u32(1)],
      ["tokenizer.ggml.eos_token_id", u32(2)],
    ],
    tensors: [
      matrix("token_embd.weight", V, D),
      vector("blk.0.attn_norm.weight"),
      ...[matrix("blk.0.attn_q.weight", 32, D), matrix("blk.0.attn_k.weight", 16, D)],
      ...[matrix("blk.0.attn_v.weight", 16, D), matrix("blk.0.attn_output.weight", D, 32)],
      vector("blk.0.ffn_norm.weight"),
      ...[matrix("blk.0.ffn_gate.weight", F, D), matrix("blk.0.ffn_up.weight", F, D)],
      matrix("blk.0.ffn_down.weight", D, F),
      vector("output_norm.weight"),
      matrix("output.weight", V, D),
    ],
  };
}
