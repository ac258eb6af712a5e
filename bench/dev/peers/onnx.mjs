// Writes the model as an ONNX graph of onnxruntime's own operators: matrices in blocks of 4 bits,
// grouped-query attention that includes RoPE, keys and values as inputs and outputs, named as transformers.js
// names them. Field numbers are from onnx.proto.
import { closeSync, openSync, writeSync } from "node:fs";
import { GROUP, matrix, norm, values } from "./model.mjs";
import { float, integer, message, string } from "./protobuf.mjs";

/** @typedef {import("./model.mjs").Shape} Shape */

const FLOAT = 1;
const UINT8 = 2;
const INT32 = 6;
const INT64 = 7;

const EPS = 1e-5;
/** Positions with RoPE angles. */
const POSITIONS = 2048;
/** Level 4 allows activations of eight bits: the fastest level, and the usual one. */
const ACCURACY_LEVEL = 4;

/** @param {string} path @param {Shape} shape */
export function writeOnnx(path, shape) {
  const file = openSync(path, "w");
  for (const part of model(shape)) writeSync(file, part);
  closeSync(file);
}

/** @param {Shape} shape */
function model(shape) {
  const { L, D, H, G, d, V } = shape;
  /** @type {Buffer[]} */
  const nodes = [];
  /** @type {Buffer[]} */
  const constants = [];
  const inputs = [
    ...tensorType(11, "input_ids", INT64, ["batch_size", "tokens"]),
    ...tensorType(11, "attention_mask", INT64, ["batch_size", "total"]),
  ];
  const outputs = [...tensorType(12, "logits", FLOAT, ["batch_size", 1, V])];

  /**
   * @param {string} operator @param {string[]} from @param {string[]} to
   * @param {Record<string, Buffer[]>} attributes @param {string} domain
   */
  const node = (operator, from, to, attributes = {}, domain = "") => {
    const named = Object.entries(attributes).flatMap(([name, value]) =>
      message(5, [...string(1, name), ...value]),
    );
    const ends = [...from.flatMap((name) => string(1, name)), ...to.flatMap((name) => string(2, name))];
    nodes.push(...message(1, [...ends, ...string(4, operator), ...named, ...string(7, domain)]));
    return to[0] ?? "";
  };
  /** Adds one of onnxruntime's own operators. @type {typeof node} */
  const own = (operator, from, to, attributes) => node(operator, from, to, attributes, "com.microsoft");

  /**
   * @param {string} name
   * @param {number} type
   * @param {number[]} dims
   * @param {ArrayBufferView<ArrayBuffer>} data
   */
  const constant = (name, type, dims, data) => {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const shapeOf = dims.flatMap((n) => integer(1, n));
    constants.push(
      ...message(5, [...shapeOf, ...integer(2, type), ...string(8, name), ...message(9, [bytes])]),
    );
    return name;
  };
  const int64 = (/** @type {string} */ name, /** @type {number[]} */ ...values) =>
    constant(name, INT64, [values.length], BigInt64Array.from(values, BigInt));
  const normWeight = (/** @type {string} */ name) => constant(name, FLOAT, [D], norm(shape, name));

  const product = (/** @type {string} */ x, /** @type {string} */ name, /** @type {string} */ y) => {
    const { N, K, codes, scales } = blocks(shape, name);
    const weights = [
      constant(`${name}.codes`, UINT8, [N, K / GROUP, GROUP / 2], codes),
      constant(`${name}.scales`, FLOAT, [N, K / GROUP], scales),
    ];
    const sizes = { K: int(K), N: int(N), bits: int(4), block_size: int(GROUP) };
    return own("MatMulNBits", [x, ...weights], [y], { ...sizes, accuracy_level: int(ACCURACY_LEVEL) });
  };

  // In f32, as usual: onnxruntime's WebAssembly has no operator for an embedding in 4 bits.
  constant("embedding", FLOAT, [V, D], values(shape, "model.embed_tokens.weight"));
  node("Gather", ["embedding", "input_ids"], ["x"], { axis: int(0) });

  // Attention needs the last position of each sequence, and the longest length.
  int64("one", 1);
  node("ReduceSum", ["attention_mask", "one"], ["lengths"], { keepdims: int(0) });
  node("Sub", ["lengths", "one"], ["last64"]);
  node("Cast", ["last64"], ["last"], { to: int(INT32) });
  node("Shape", ["attention_mask"], ["mask_shape"]);
  constant("second", INT64, [], BigInt64Array.of(1n));
  node("Gather", ["mask_shape", "second"], ["total64"], { axis: int(0) });
  node("Cast", ["total64"], ["total"], { to: int(INT32) });
  constant("cos", FLOAT, [POSITIONS, d / 2], angles(d, Math.cos));
  constant("sin", FLOAT, [POSITIONS, d / 2], angles(d, Math.sin));

  const first = normWeight("model.layers.0.input_layernorm.weight");
  let x = "x";
  let normed = node("SimplifiedLayerNormalization", [x, first], ["normed"], {
    axis: int(-1),
    epsilon: real(EPS),
    stash_type: int(1),
  });
  /** x = x + more, and its norm. */
  const addAndNorm = (/** @type {string} */ more, /** @type {string} */ name, /** @type {string} */ to) => {
    const ends = [`${to}.normed`, "", "", `${to}.x`];
    own("SkipSimplifiedLayerNormalization", [x, more, normWeight(name)], ends, { epsilon: real(EPS) });
    x = `${to}.x`;
    normed = `${to}.normed`;
  };
  for (let i = 0; i < L; i++) {
    const layer = `model.layers.${i}`;
    const [past, present] = ["past_key_values", "present"].map((name) => [
      `${name}.${i}.key`,
      `${name}.${i}.value`,
    ]);
    for (const name of past ?? [])
      inputs.push(...tensorType(11, name, FLOAT, ["batch_size", G, "before", d]));
    for (const name of present ?? [])
      outputs.push(...tensorType(12, name, FLOAT, ["batch_size", G, "total", d]));
    const qkv = ["q", "k", "v"].map((name) =>
      product(normed, `${layer}.self_attn.${name}_proj.weight`, `${layer}.${name}`),
    );
    const attended = own(
      "GroupQueryAttention",
      [...qkv, ...(past ?? []), "last", "total", "cos", "sin"],
      [`${layer}.attended`, ...(present ?? [])],
      { num_heads: int(H), kv_num_heads: int(G), scale: real(1 / Math.sqrt(d)), do_rotary: int(1) },
    );
    const projected = product(attended, `${layer}.self_attn.o_proj.weight`, `${layer}.projected`);
    addAndNorm(projected, `${layer}.post_attention_layernorm.weight`, `${layer}.middle`);
    const gate = product(normed, `${layer}.mlp.gate_proj.weight`, `${layer}.gate`);
    const up = product(normed, `${layer}.mlp.up_proj.weight`, `${layer}.up`);
    const sigmoid = node("Sigmoid", [gate], [`${layer}.sigmoid`]);
    const silu = node("Mul", [gate, sigmoid], [`${layer}.silu`]);
    const hidden = node("Mul", [silu, up], [`${layer}.hidden`]);
    const down = product(hidden, `${layer}.mlp.down_proj.weight`, `${layer}.down`);
    const next = i + 1 < L ? `model.layers.${i + 1}.input_layernorm.weight` : "model.norm.weight";
    addAndNorm(down, next, `${layer}.end`);
  }
  // Logits of the last token only, as in the other engines.
  node("Slice", [normed, int64("from", -1), int64("to", 2 ** 31 - 1), "one"], ["last_normed"]);
  product("last_normed", "lm_head.weight", "logits");

  const graph = [...nodes, ...string(2, "mistral"), ...constants, ...inputs, ...outputs];
  const operators = (/** @type {string} */ domain, /** @type {number} */ version) =>
    message(8, [...string(1, domain), ...integer(2, version)]);
  return [...integer(1, 10), ...message(7, graph), ...operators("", 21), ...operators("com.microsoft", 1)];
}

/** Codes + 8, two to a byte, the first in the lower nibble. The operators' default zero point is 8. */
function blocks(/** @type {Shape} */ shape, /** @type {string} */ name) {
  const { N, K, code, scale } = matrix(shape, name);
  const codes = new Uint8Array((N * K) / 2);
  const scales = new Float32Array((N * K) / GROUP);
  for (let n = 0; n < N; n++) {
    for (let k = 0; k < K; k += 2) codes[(n * K + k) / 2] = (code(n, k) + 8) | ((code(n, k + 1) + 8) << 4);
    for (let group = 0; group < K / GROUP; group++) scales[(n * K) / GROUP + group] = scale(n, group);
  }
  return { N, K, codes, scales };
}

/** `of` each RoPE angle, [POSITIONS, d / 2]. */
function angles(/** @type {number} */ d, /** @type {(angle: number) => number} */ of) {
  const half = d / 2;
  return Float32Array.from({ length: POSITIONS * half }, (_, i) =>
    of(Math.floor(i / half) * 10000 ** (-(i % half) / half)),
  );
}

const int = (/** @type {number} */ value) => [...integer(3, value), ...integer(20, 2)];
const real = (/** @type {number} */ value) => [...float(2, value), ...integer(20, 1)];

/** @param {number} field @param {string} name @param {number} type @param {(string | number)[]} dims */
function tensorType(field, name, type, dims) {
  const shapeOf = dims.flatMap((n) => message(1, typeof n === "string" ? string(2, n) : integer(1, n)));
  return message(field, [
    ...string(1, name),
    ...message(2, message(1, [...integer(1, type), ...message(2, shapeOf)])),
  ]);
}
