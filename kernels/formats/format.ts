import type { CodeOrder, ShaderFile } from "../kernel.ts";
import type { Layout } from "./layouts.ts";
import { padded, quantisedFormats } from "./table.ts";

export { GROUP, padded, type WeightFormatName } from "./table.ts";

/** A weight format: how matrices are stored, and the shaders that read and write them. */
export interface WeightFormat extends Layout {
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
   * WGSL: `BLOCK`, and `fn write_block(n: u32, block: u32, r: u32)`, which stores BLOCK columns from
   * BLOCK·block on of row n, as `storeRow` does. It reads the entries with `value(r, k)`.
   */
  readonly writer: readonly ShaderFile[];
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

/** Bytes of a row of K weights, scales included. */
export const bytesPerRow = (format: WeightFormat, K: number): number =>
  4 * (format.words(padded(K)) + format.scaleWords(padded(K)));
