// Rows of weights, as products.wat reads them.
import { GROUP, padded, scaleWords, type WeightFormatName, weightWords } from "../formats/table.ts";
import type { Operand, Thread } from "./operation.ts";

/** The places of the functions in the table of products.wat. */
const FORMATS = ["f32", "f16", "bf16", "q8", "q4", "q4a", "q4a64", "q4a128", "q4k"];

/** Of scratch, for what the codes of a row are multiplied by: 32 a group, of whole super-groups of eight. */
export const factorBytes = (groups: number): number => 8 * 32 * Math.ceil(groups / 8);

/** The first argument of the functions of products.wat. */
export const kindOf = (format: WeightFormatName): number => FORMATS.indexOf(format);

/** 1 for formats of nibbles. */
export const isByNibble = (format: WeightFormatName): 0 | 1 => (format.startsWith("q4") ? 1 : 0);

/**
 * The address of the scales of `count` rows from `row` on, in the heap where `home` is at work. Those of
 * another heap are copied to `scratchAt`. 0 without scales.
 */
export function placeScales(
  scales: Operand | undefined,
  home: Thread,
  rowBytes: number,
  row: number,
  count: number,
  scratchAt: number,
): number {
  if (!scales) return 0;
  if (scales.home === home) return scales.address + row * rowBytes;
  home.heap.u8.set(scales.u8.subarray(row * rowBytes, (row + count) * rowBytes), scratchAt);
  return scratchAt;
}

/**
 * Reads row n of a matrix as floats, [padded(K)], with 0 as padding. They stay until the next row is read.
 * @param weights weight, and scale if the format has scales
 * @param kept bytes at the start of scratch that the caller uses, a multiple of 16
 */
export function rowReader(
  format: WeightFormatName,
  K: number,
  [weight, scale]: readonly [Operand, Operand?],
  kept = 0,
): (n: number) => Float32Array {
  const { address, home } = weight;
  const groups = padded(K) / GROUP;
  const weightBytes = 4 * weightWords(format, K);
  const scaleBytes = 4 * scaleWords(format, K);
  const rowBytes = 4 * padded(K);
  const rowAt = home.scratch(kept + rowBytes + factorBytes(groups) + scaleBytes) + kept;
  const workAt = rowAt + rowBytes;
  const scaleAt = workAt + factorBytes(groups);
  const row = home.heap.f32.subarray(rowAt / 4, workAt / 4);
  return (n) => {
    home.compiled.unpackRow(
      kindOf(format),
      isByNibble(format),
      address + n * weightBytes,
      placeScales(scale, home, scaleBytes, n, 1, scaleAt),
      groups,
      workAt,
      rowAt,
    );
    return row.fill(0, K);
  };
}
