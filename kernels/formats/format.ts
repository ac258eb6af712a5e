import type { Binding, Buffer, CodeOrder, ShaderFile } from "../kernel.ts";
import { padded, quantisedFormats, scaleWords, type WeightFormatName, weightWords } from "./table.ts";

export { GROUP, padded, type WeightFormatName } from "./table.ts";

/** How a weight matrix [N, K] is stored, and how one entry is read back. K is a multiple of GROUP. */
export interface WeightFormat {
  readonly name: WeightFormatName;
  /**
   * WGSL: `fn weight8(n: u32, k8: u32) -> mat2x4f`, entries 8·k8 … 8·k8 + 7 of row n. It reads K, the width.
   */
  readonly source: readonly ShaderFile[];
  /** WGSL: `fn weight32(n: u32, g: u32) -> Weights32`, entries 32·g … 32·g + 31 of row n. */
  readonly wide: readonly ShaderFile[];
  /** WGSL: `fn strip(n: u32, round: u32, lane: u32) -> Strip`, weights as snippets/stream.wgsl reads them. */
  readonly stream: readonly ShaderFile[];
  /**
   * WGSL: `fn packed32(n: u32, g: u32) -> Packed32`, `fn bytes32(Packed32) -> Bytes32` in this
   * order of columns, ZERO_CODE, and `fn scale_of(n, g) -> f32`. Formats with scales and no offsets only.
   */
  readonly int8?: { readonly source: ShaderFile; readonly order: CodeOrder };
  /**
   * WGSL: `fn write_block(n: u32, block: u32, r: u32)`, stores 64 columns from 64·block on of row n. It reads
   * the entries with `value(r, k)`.
   */
  readonly writer: readonly ShaderFile[];
  /** u32 words of one row of `weight`. */
  words(K: number): number;
  /** u32 words of one row of `scale`: two scales, or the pair of a group, in each. 0 for formats without. */
  scaleWords(K: number): number;
  /** The buffers of N rows: `weight` at slot 6; `scale` at slot 7 if the format has scales. */
  bindings(N: number, K: number): readonly Binding[];
  /** The entry at flat index i = n * K + k. In padding it may be any number. */
  at(buffers: readonly Buffer[], i: number, K: number): number;
  /** Stores row n from f32 bit patterns [K], as `writer` does. `columns` of them are no padding. */
  storeRow(buffers: readonly Buffer[], n: number, row: Uint32Array, columns?: number): void;
}

/** What a variant of a kernel rounds input and weights to. */
export interface Rounding {
  /** Allowed for weight formats that round at least as much. Default: nothing is rounded. */
  readonly rounds?: "f16" | "int8";
}

/** Whether a variant can read `format`, and rounds no more than the format does. */
export function suits({ rounds }: Rounding, { name, int8 }: WeightFormat): boolean {
  const able = { f16: name === "f16" || quantisedFormats.includes(name), int8: int8 !== undefined };
  return !rounds || able[rounds];
}

/** What the table of formats fixes. */
export const sizesOf = (
  name: WeightFormatName,
): Pick<WeightFormat, "name" | "words" | "scaleWords" | "bindings"> => ({
  name,
  words: (K) => weightWords(name, K),
  scaleWords: (K) => scaleWords(name, K),
  bindings(N, K) {
    const type = name === "f32" ? "f32" : "u32";
    const weight: Binding = { name: "weight", slot: 6, type, length: N * weightWords(name, K) };
    const scales = scaleWords(name, K);
    return scales === 0 ? [weight] : [weight, { name: "scale", slot: 7, type: "u32", length: N * scales }];
  },
});

/** Bytes of a row of K weights, scales included. */
export const bytesPerRow = (format: WeightFormat, K: number): number =>
  4 * (format.words(padded(K)) + format.scaleWords(padded(K)));
