// llama.cpp's Q4_0, a yardstick for tests: 32 weights share an f16 scale, the value of largest magnitude over
// −8, and each is kept as the nearest of sixteen multiples. Published in ggml's quantize_row_q4_0_ref.
import { f16ToNumber, numberToF16 } from "../../kernels/formats/half.ts";

const BLOCK = 32;

/** What `weights` (whole blocks, one after another) are after they were stored as Q4_0 and read back. */
export function throughQ4_0(weights: Float32Array): Float32Array {
  const kept = new Float32Array(weights.length);
  for (let start = 0; start < weights.length; start += BLOCK) {
    const block = weights.subarray(start, start + BLOCK);
    const scale = Math.fround(extreme(block) / -8);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    const stored = f16ToNumber(numberToF16(scale));
    kept.set(
      block.map((x) => (code(Math.fround(x * inverse)) - 8) * stored),
      start,
    );
  }
  return kept;
}

/** The value of largest magnitude, with its sign; the first of equals. */
const extreme = (block: Float32Array): number =>
  block.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0);

/** 0 … 15 for a value in steps of the scale; the nearest, halves upwards. */
const code = (steps: number): number => Math.min(15, Math.trunc(Math.fround(steps + 8.5)));
