// Bugs of the operations of the CPU device.

/** @param {string} name */
const operation = (name) => ["test/kernels/cpu/others.cpu.test.ts", "-t", name];

/** @param {string} name */
const attention = (name) => ["test/kernels/cpu/attention.cpu.test.ts", "-t", name];

/** @param {string} name */
const product = (name) => ["test/kernels/cpu/products.cpu.test.ts", "-t", name];

/** @type {Readonly<Record<string, import("./tests.mjs").Bug>>} */
export const cpuBugs = {
  "NaN sampled as 0 on the CPU": {
    file: "kernels/cpu/sample.wat",
    from: "(f32x4.ge (f32x4.abs (local.get $clamped))",
    to: "(f32x4.ge (f32x4.abs (local.get $value))",
    test: operation("sample: NaN, infinities"),
  },
  "a draw stops at the first sixteen tokens that may win": {
    file: "kernels/cpu/sample.wat",
    from: "(i32.sub (local.get $octaves) (i32.const 1)) (i32.const 25))",
    to: "(i32.sub (local.get $octaves) (i32.const 1)) (i32.const 26))",
    test: operation("sample: many rows of every mode"),
  },
  "padding is part of the search for a pair on the CPU": {
    file: "kernels/cpu/quantise.wat",
    from: "(i32x4.lt_s (local.get $lanes) (i32x4.splat (local.get $count)))",
    to: "(i32x4.lt_s (local.get $lanes) (i32x4.splat (local.get $width)))",
    test: operation("convert_bf16_q4a128"),
  },
  "the other sign of a scale is never tried on the CPU": {
    file: "kernels/cpu/quantise.wat",
    from: "(call $attempt (local.get $s) (i32.const -1)",
    to: "(call $attempt (local.get $s) (i32.const 1)",
    test: operation("convert_f32_q4 "),
  },
  "every other column of an embedding of nibbles is 16 times as large": {
    file: "kernels/cpu/products.wat",
    from: "(v128.const f32x4 0.0625 0.0625 0.0625 0.0625)",
    to: "(v128.const f32x4 1 1 1 1)",
    test: operation("embed_q4 "),
  },
  "DoRA measures the padding of A": {
    file: "kernels/cpu/dora-gain.ts",
    from: "adapted.fill(0, K);",
    to: "",
    test: operation("dora_gain_bf16"),
  },
  "DoRA adds rows up in the heap of the matrix": {
    file: "kernels/cpu/dora-gain.ts",
    from: "scratch } = a.home;",
    to: "scratch } = weight[0].home;",
    test: operation("rows with"),
  },
  "a row is converted with the padding that scratch holds": {
    file: "kernels/cpu/convert.ts",
    from: "row.fill(0, K);",
    to: "",
    test: operation("convert_f32_q8"),
  },
  "top-p counts tokens that top-k leaves out": {
    file: "kernels/cpu/sample.ts",
    from: "masses(far, x.length, limit,",
    to: "masses(far, x.length, FARTHEST,",
    test: operation("sample: many rows of every mode"),
  },
  "a token does not see itself on the CPU": {
    file: "kernels/cpu/attention.ts",
    from: "if (end === past)",
    to: "if (end < past)",
    test: attention("^attention_f32"),
  },
  "the last part of the keys is left out on the CPU": {
    file: "kernels/cpu/attention.ts",
    from: "Math.ceil(visibleOf(t) / keysOf(t))",
    to: "Math.floor(visibleOf(t) / keysOf(t))",
    test: attention("^attention_f32"),
  },
  "the tokens of a prefill have the window of the first on the CPU": {
    file: "kernels/cpu/exp.wat",
    from: "(local.set $first (i32.add (local.get $first) (i32.const 1)))",
    to: "(local.set $first (local.get $first))",
    test: attention("^attention_tile_f32"),
  },
  "zeros of an f16 cache are not 0 on the CPU": {
    file: "kernels/cpu/ring.wat",
    from: "(v128.any_true (local.get $others))",
    to: "(i32.const 0)",
    test: attention("f16 is read exactly"),
  },
  "vectors of a model are where compiled functions do not see them": {
    file: "engine/resident/upload.ts",
    from: "buffers.near(tensors",
    to: "buffers.storage(tensors",
    test: ["test/engine/cpu/far.cpu.test.ts", "-t", "q8"],
  },
  "matrices take the room of near buffers": {
    file: "engine/cpu/memory.ts",
    from: "near || index > 0 ? 0 : KEPT_BYTES",
    to: "0",
    test: ["test/engine/cpu/far.cpu.test.ts", "-t", "leave room"],
  },
  "the pool of a phase is what the last but one left": {
    file: "engine/cpu/portions.ts",
    from: "Atomics.store(this.#taken, this.#phase, 0);",
    to: "",
    test: ["test/engine/cpu/portions.cpu.test.ts"],
  },
  "a ring is read past its last slot on the CPU": {
    file: "kernels/cpu/head-group.ts",
    from: "Math.min(to, position + S - (position % S))",
    to: "to",
    test: attention("^attention_lane_f32"),
  },
  "the rows that fours leave over are multiplied from the start again": {
    file: "kernels/cpu/codes.wat",
    from: "(select (i32.const 0) (i32.shl (local.get $quarter) (i32.const 2)) (i32.const {four}))",
    to: "(i32.const 0)",
    test: product("matvec_q4_stream_int8 "),
  },
  "four rows are next to each other": {
    file: "kernels/cpu/codes.wat",
    from: "(i32.mul (local.get $apart) (i32.const {4r})))))",
    to: "(i32.const {4r}))))",
    test: product("matvec_q8_stream_int8 "),
  },
  "scales of the last quad are what scratch held": {
    file: "kernels/cpu/codes.wat",
    from: "(select (local.get $quad_bytes) (i32.const 0) (i32.and (local.get $groups) (i32.const 3))))",
    to: "(i32.const 0))",
    test: product("matvec_q4_stream_int8 "),
  },
  "far weights read the inputs of the operation before": {
    file: "kernels/cpu/product.ts",
    from: "        copyBytes(near, to, home, inputsAt, tokens * inputBytes);\n",
    to: "",
    test: product("matvec_q4_stream_int8 "),
  },
  "scales of another heap are read at their address": {
    file: "kernels/cpu/rows.ts",
    from: "if (scales.home === home) return",
    to: "return",
    test: product("matvec_q4_stream_int8 "),
  },
};
