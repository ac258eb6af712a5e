// A tensor of a checkpoint, in whatever kind of file.
import type { WeightFormatName } from "../kernels/formats/table.ts";

/**
 * How bytes encode numbers: `F32`, `F16` and `BF16` are little-endian floats, `words`, and `scales` or
 * `superScales` (q4k), are the buffers of a weight format. engine/resident/encodings.ts says how each is
 * loaded. Readers may have encodings of their own: `own` says how they are loaded.
 */
export type Encoding = "F32" | "F16" | "BF16" | "words" | "scales" | "superScales" | (string & {});

/** How rows of an encoding that only its reader knows are loaded. The bytes are R rows of K weights. */
export interface OwnEncoding {
  /** The weights as little-endian f32. */
  decode(bytes: Uint8Array<ArrayBuffer>, R: number, K: number): Uint8Array<ArrayBuffer>;
  /** By format: the bytes of each of its buffers, with the same values. */
  readonly repack?: Partial<Record<WeightFormatName, Repack>>;
}

/** Re-orders the bits of R rows of K weights without loss into the bytes of each buffer of a format. */
export type Repack = (bytes: Uint8Array<ArrayBuffer>, R: number, K: number) => Uint8Array<ArrayBuffer>[];

export interface TensorInfo {
  /** As the table of tensors names it, whatever the file calls it; a packed tensor as packed.ts names it. */
  readonly name: string;
  readonly encoding: Encoding;
  /** Missing if the engine knows the encoding. */
  readonly own?: OwnEncoding;
  readonly shape: readonly number[];
  /** The bytes [start, end) of `file` hold the tensor. */
  readonly file: string;
  readonly start: number;
  readonly end: number;
  /** Bytes of a row as its reader gives it. Default: its part of the stored bytes. */
  readonly rowBytes?: number;
}
