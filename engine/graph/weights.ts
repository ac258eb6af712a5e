// The model's weights on the GPU, named as in the checkpoint.
import type { WeightFormat } from "../../kernels/index.ts";

/** Units [first, first + count) of a matrix: rows, heads, or gate rows with their up rows. */
export interface MatrixPart {
  readonly first: number;
  readonly count: number;
  readonly format: WeightFormat;
  /** The bindings of `format`. */
  readonly buffers: readonly GPUBuffer[];
}

/** A weight matrix: one part, or several by rows when a binding is too small for all or when rows differ in format. */
export type Matrix = readonly MatrixPart[];

export interface LayerWeights {
  /** [padded(D)] */
  readonly inputNorm: GPUBuffer;
  /** [(H + 2G)·d, D]: q_proj, k_proj and v_proj; parts in heads. */
  readonly qkv: Matrix;
  /** [D, H·d] */
  readonly oProj: Matrix;
  /** [padded(D)] */
  readonly postAttentionNorm: GPUBuffer;
  /** [2F, D]: in each part its gate_proj rows, then its up_proj rows. */
  readonly gateUp: Matrix;
  /** [D, F] */
  readonly downProj: Matrix;
}

export interface Weights {
  /** [V, D] */
  readonly embedTokens: Matrix;
  readonly layers: readonly LayerWeights[];
  /** [padded(D)] */
  readonly finalNorm: GPUBuffer;
  /** [V, D] */
  readonly lmHead: Matrix;
}

/** Every buffer in a fixed order. A tied embedding is listed twice, as lm_head too. */
export function weightBuffers({ embedTokens, layers, finalNorm, lmHead }: Weights): GPUBuffer[] {
  const matrix = (parts: Matrix) => parts.flatMap(({ buffers }) => buffers);
  return [
    ...matrix(embedTokens),
    ...layers.flatMap(({ inputNorm, postAttentionNorm, qkv, oProj, gateUp, downProj }) => [
      inputNorm,
      postAttentionNorm,
      ...[qkv, oProj, gateUp, downProj].flatMap(matrix),
    ]),
    finalNorm,
    ...matrix(lmHead),
  ];
}
