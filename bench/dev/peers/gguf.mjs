// Writes the model as a GGUF file.
// RoPE in GGUF's llama architecture pairs rows 2i and 2i + 1 of a head; Hugging Face pairs rows i and i +
// d/2. So query and key rows are permuted. Unpermuted, everything runs and the answers are wrong.
import { closeSync, openSync, writeSync } from "node:fs";
import { tensorsOf } from "../mistral.mjs";
import { blockTypes } from "./gguf-blocks.mjs";
import { GROUP, isNorm, matrix, norm } from "./model.mjs";

/** @typedef {import("./model.mjs").Shape} Shape */

const ALIGNMENT = 32;
/** Constants of the format: types of metadata values. */
const U32 = 4;
const I32 = 5;
const F32 = 6;
const STRING = 8;
const ARRAY = 9;

/** @typedef {keyof typeof blockTypes} BlockName */
/** @typedef {"Q4_0" | "Q4_K_M" | "Q8_0"} Mix */

/** llama.cpp's numbers of the mixes (general.file_type). */
const FILE_TYPES = { Q4_0: 2, Q8_0: 7, Q4_K_M: 15 };

/** @type {Mix[]} */
export const mixes = ["Q4_0", "Q4_K_M", "Q8_0"];

/**
 * @param {string} path @param {Shape} shape @param {Mix} [mix]
 * @param {(type: BlockName, size: number) => Iterable<Uint8Array>} [matrixOf] bytes of a matrix (default: the
 *   weights that every engine gets)
 */
export function writeGguf(path, shape, mix = "Q4_0", matrixOf) {
  const tensors = tensorsOf(shape).map((tensor) => {
    const type = isNorm(tensor.name) ? "F32" : matrixType(tensor.name, mix, shape.L);
    const [rows = 1, K = rows] = tensor.shape;
    const { length, bytes } = blockTypes[type];
    const size = ((tensor.shape.length === 1 ? 1 : rows) * K * bytes) / length;
    return {
      ...tensor,
      type,
      size,
      name: ggufName(tensor.name),
      data: () =>
        matrixOf && !isNorm(tensor.name) ? matrixOf(type, size) : [dataOf(shape, tensor.name, type)],
    };
  });
  const file = openSync(path, "w");
  let offset = 0;
  const infos = tensors.map(({ name, shape: dims, type, size }) => {
    const id = u32(blockTypes[type].id);
    const info = [string(name), u32(dims.length), ...dims.toReversed().map(u64), id, u64(offset)];
    offset += aligned(size);
    return info;
  });
  const entries = metadata(shape, FILE_TYPES[mix]);
  const start = [Buffer.from("GGUF"), u32(3), u64(tensors.length), u64(entries.length)];
  writePadded(file, [Buffer.concat([...start, ...entries.flat(), ...infos.flat()])]);
  for (const { data } of tensors) writePadded(file, data());
  closeSync(file);
}

/**
 * In Q4_K_M the head has 6 bits, and so have the value and down projections of about half of the layers.
 * @param {string} name @param {Mix} mix @param {number} L @returns {BlockName}
 */
function matrixType(name, mix, L) {
  if (mix !== "Q4_K_M") return mix;
  if (/lm_head/.test(name)) return "Q6_K";
  const layer = Number(/layers\.(\d+)/.exec(name)?.[1] ?? 0);
  const eighth = Math.floor(L / 8);
  const isFirst = layer < eighth || layer >= L - eighth || (layer - eighth) % 3 === 2;
  return isFirst && /(v|down)_proj/.test(name) ? "Q6_K" : "Q4_K";
}

const ggufNames = [
  [/^model\.embed_tokens/, "token_embd"],
  [/^model\.norm/, "output_norm"],
  [/^lm_head/, "output"],
  [/^model\.layers\.(\d+)\./, "blk.$1."],
  [/input_layernorm/, "attn_norm"],
  [/post_attention_layernorm/, "ffn_norm"],
  [/self_attn\.o_proj/, "attn_output"],
  [/self_attn\.([qkv])_proj/, "attn_$1"],
  [/mlp\.(gate|up|down)_proj/, "ffn_$1"],
];
const ggufName = (/** @type {string} */ name) =>
  ggufNames.reduce((text, [from = "", to = ""]) => text.replace(from, String(to)), name);

/** @param {Shape} shape @param {string} name @param {BlockName} type */
function dataOf(shape, name, type) {
  if (type === "F32") return Buffer.from(norm(shape, name).buffer);
  const { N, K, code, scale } = matrix(shape, name);
  const rotates = /[qk]_proj/.test(name);
  const { length, bytes, write } = blockTypes[type];
  const data = new Uint8Array((N * K * bytes) / length);
  const block = new Float32Array(length);
  let at = 0;
  for (let row = 0; row < N; row++) {
    const n = rotates ? rotateHalfRow(row, shape.d) : row;
    for (let from = 0; from < K; from += length, at += bytes) {
      for (let i = 0; i < length; i++)
        block[i] = code(n, from + i) * scale(n, Math.floor((from + i) / GROUP));
      write(block, new DataView(data.buffer, at, bytes));
    }
  }
  return Buffer.from(data.buffer);
}

/** The row of a Hugging Face matrix that becomes row `row` of GGUF's. */
function rotateHalfRow(/** @type {number} */ row, /** @type {number} */ d) {
  const i = row % d;
  return row - i + (i % 2) * (d / 2) + Math.floor(i / 2);
}

/** @returns {Buffer[][]} each a key, a type and a value */
function metadata(/** @type {Shape} */ { L, D, H, G, d, F, V }, /** @type {number} */ fileType) {
  const number = (/** @type {string} */ key, /** @type {number} */ value) => [
    string(key),
    u32(U32),
    u32(value),
  ];
  const real = (/** @type {string} */ key, /** @type {number} */ value) => [
    string(key),
    u32(F32),
    f32(value),
  ];
  const text = (/** @type {string} */ key, /** @type {string} */ value) => [
    string(key),
    u32(STRING),
    string(value),
  ];
  const list = (/** @type {string} */ key, /** @type {number} */ type, /** @type {Buffer[]} */ values) => [
    string(key),
    u32(ARRAY),
    u32(type),
    u64(values.length),
    ...values,
  ];
  const ids = Array.from({ length: V }, (_, id) => id);
  return [
    text("general.architecture", "llama"),
    text("general.name", "made-up weights"),
    number("general.file_type", fileType),
    number("general.quantization_version", 2),
    number("general.alignment", ALIGNMENT),
    number("llama.vocab_size", V),
    number("llama.context_length", 2048),
    number("llama.embedding_length", D),
    number("llama.block_count", L),
    number("llama.feed_forward_length", F),
    number("llama.attention.head_count", H),
    number("llama.attention.head_count_kv", G),
    number("llama.attention.key_length", d),
    number("llama.attention.value_length", d),
    number("llama.rope.dimension_count", d),
    real("llama.rope.freq_base", 10000),
    real("llama.attention.layer_norm_rms_epsilon", 1e-5),
    // Control tokens, bytes, then made-up words. For an engine that takes text only: a text of such words
    // becomes their ids.
    text("tokenizer.ggml.model", "llama"),
    list("tokenizer.ggml.tokens", STRING, ids.map(token)),
    list(
      "tokenizer.ggml.scores",
      F32,
      ids.map((id) => f32(-id)),
    ),
    list(
      "tokenizer.ggml.token_type",
      I32,
      ids.map((id) => u32(tokenType(id))),
    ),
    number("tokenizer.ggml.bos_token_id", 1),
    number("tokenizer.ggml.eos_token_id", 2),
    number("tokenizer.ggml.unknown_token_id", 0),
  ];
}

function token(/** @type {number} */ id) {
  if (id < 3) return string(["<unk>", "<s>", "</s>"][id] ?? "");
  return string(id < 259 ? `<0x${(id - 3).toString(16).toUpperCase().padStart(2, "0")}>` : `t${id}`);
}

/** 2 unknown, 3 control, 4 defined by the user (found in a text before all else), 6 byte. */
const tokenType = (/** @type {number} */ id) => (id === 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 4);

const aligned = (/** @type {number} */ bytes) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

function writePadded(/** @type {number} */ file, /** @type {Iterable<Uint8Array>} */ pieces) {
  let size = 0;
  for (const piece of pieces) {
    writeSync(file, piece);
    size += piece.length;
  }
  writeSync(file, Buffer.alloc(aligned(size) - size));
}

function u32(/** @type {number} */ value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(/** @type {number} */ value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function f32(/** @type {number} */ value) {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function string(/** @type {string} */ text) {
  const bytes = Buffer.from(text);
  return Buffer.concat([u64(bytes.length), bytes]);
}
