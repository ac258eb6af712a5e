// Bugs of the operations of the CPU device.

/** @param {string} name */
const operation = (name) => ["test/kernels/cpu/others.cpu.test.ts", "-t", name];

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
};
