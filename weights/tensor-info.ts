// A tensor of a checkpoint, whatever kind of file holds it.

/**
 * How a tensor's bytes stand for its numbers: `F32`, `F16` and `BF16` are floats, little-endian. `words` and
 * `scales` are buffers of a weight format as the GPU holds them. A reader may have encodings of its own:
 * engine/resident/encodings.ts says what becomes of each.
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
}
