// A tensor of a checkpoint, in whatever kind of file.

/**
 * How bytes encode numbers: `F32`, `F16` and `BF16` are little-endian floats, `words` and `scales` are the
 * buffers of a weight format. Readers may add encodings: engine/resident/encodings.ts says how each is
 * loaded.
 */
export type Encoding = "F32" | "F16" | "BF16" | "words" | "scales" | (string & {});

export interface TensorInfo {
  /** As the table of tensors names it, whatever the file calls it; a packed tensor as packed.ts names it. */
  readonly name: string;
  readonly encoding: Encoding;
  readonly shape: readonly number[];
  /** The bytes [start, end) of `file` hold the tensor. */
  readonly file: string;
  readonly start: number;
  readonly end: number;
  /** Bytes of a row as its reader gives it. Default: its part of the stored bytes. */
  readonly rowBytes?: number;
}
