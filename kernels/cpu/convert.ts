// Checkpoint rows become rows of a weight format. A row is widened to f32 bit patterns in scratch;
// quantise.wat turns these into codes and scales.
import type { ConvertSize, InputDtype } from "../convert.ts";
import { f16ToF32Bits, f32BitsToBf16, f32BitsToF16 } from "../formats/half.ts";
import { layouts } from "../formats/layouts.ts";
import { scaleSearches } from "../formats/quantise.ts";
import { formatTable, GROUP, padded, type WeightFormatName } from "../formats/table.ts";
import type { Compiled } from "./compiled.ts";
import type { Operand, Operation, Thread } from "./operation.ts";

interface ConvertCall {
  readonly dtype: InputDtype;
  readonly format: WeightFormatName;
}

/** Bytes that the searches of quantise.wat work in. */
const WORK_BYTES = 1600;

/** Items are rows. */
export const convert: Operation<ConvertCall, ConvertSize> = (
  { dtype, format },
  { R, K },
  operands,
  thread,
) => {
  const [raw, range, ...stored] = operands as [Operand, Operand, ...Operand[]];
  const bits = thread.scratch(rowBytes(format, K));
  const row = thread.heap.u32.subarray(bits / 4, bits / 4 + padded(K));
  const widen = rowReader(dtype, raw, K);
  const store = rowWriter(format, stored, row, K, thread);
  return [
    {
      items: R,
      run(first, end) {
        const row0 = range.u32[0]!;
        row.fill(0, K);
        for (let r = first; r < end; r++) {
          widen(r, row);
          store(row0 + r);
        }
      },
    },
  ];
};

/** Scratch: a row as f32 bits, then what quantise.wat works in, and the row as it is stored. */
const rowBytes = (format: WeightFormatName, K: number): number =>
  8 * padded(K) + WORK_BYTES + 4 * layouts[format].scaleWords(padded(K));

/** Reads row r of `raw` as f32 bits. */
function rowReader(
  dtype: InputDtype,
  { u8, u32 }: Operand,
  K: number,
): (r: number, row: Uint32Array) => void {
  if (dtype === "F32") return (r, row) => row.set(u32.subarray(r * K, (r + 1) * K));
  const halves = new Uint16Array(u8.buffer, u8.byteOffset, u8.byteLength / 2);
  if (dtype === "BF16")
    return (r, row) => {
      for (let k = 0; k < K; k++) row[k] = halves[r * K + k]! << 16;
    };
  const widened = f32BitsOfHalves();
  return (r, row) => {
    for (let k = 0; k < K; k++) row[k] = widened[halves[r * K + k]!]!;
  };
}

let table: Uint32Array | undefined;

/** The f32 bits of every f16. */
function f32BitsOfHalves(): Uint32Array {
  table ??= Uint32Array.from({ length: 65536 }, (_, pattern) => f16ToF32Bits(pattern));
  return table;
}

/** As `storeRow` of the format, which browsers do not have (scripts/test-parts-plugin.mjs). */
function floatWriter(format: WeightFormatName, weight: Uint32Array, row: Uint32Array): (n: number) => void {
  if (format === "f32") return (n) => weight.set(row, n * row.length);
  const toHalf = format === "f16" ? f32BitsToF16 : f32BitsToBf16;
  return (n) => {
    const start = (n * row.length) / 2;
    for (let i = 0; i < row.length / 2; i++)
      weight[start + i] = toHalf(row[2 * i]!) | (toHalf(row[2 * i + 1]!) << 16);
  };
}

/** Stores `row` as row n. */
function rowWriter(
  format: WeightFormatName,
  stored: readonly Operand[],
  row: Uint32Array,
  K: number,
  { compiled, heap }: Thread,
): (n: number) => void {
  const layout = layouts[format];
  const buffers = stored.map(({ u32 }) => u32);
  if (formatTable[format].scaleBits === 0) return floatWriter(format, buffers[0]!, row);

  // By way of scratch: the buffers may be in a heap where compiled functions cannot write.
  const quantise = quantiser(format, K, compiled);
  const lengths = [layout.words(row.length), layout.scaleWords(row.length)] as const;
  const work = row.byteOffset + row.byteLength;
  const weightAt = work + WORK_BYTES;
  const scaleAt = weightAt + 4 * lengths[0];
  const weight = heap.u32.subarray(weightAt / 4, weightAt / 4 + lengths[0]);
  const scale = heap.u32.subarray(scaleAt / 4, scaleAt / 4 + lengths[1]);
  return (n) => {
    quantise(row.byteOffset, work, weightAt, scaleAt);
    buffers[0]!.set(weight, n * weight.length);
    buffers[1]!.set(scale, n * scale.length);
  };
}

/** Quantises a row of K columns; the arguments are addresses. */
function quantiser(
  format: WeightFormatName,
  K: number,
  compiled: Compiled,
): (bits: number, work: number, weight: number, scale: number) => void {
  if (format === "q4" || format === "q8") {
    const { codes, first, last, step } = scaleSearches[format];
    const groups = padded(K) / GROUP;
    return (bits, work, weight, scale) =>
      compiled.quantiseScaled(bits, groups, codes, first / step, last / step, 1 / step, work, weight, scale);
  }
  if (format === "q4k")
    return (bits, work, weight, scale) => compiled.quantiseSuper(bits, K, work, weight, scale);
  const { group } = formatTable[format];
  return (bits, work, weight, scale) => compiled.quantisePairs(bits, K, group, work, weight, scale);
}
