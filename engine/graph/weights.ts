// The weights of a model on the GPU, by the roles of the checkpoint's tensors.
import type { WeightFormat } from "../../kernels/index.ts";
import { flatTensors, type LayerTensors, type ModelTensors } from "./model-tensors.ts";

/** Units [first, first + count) of a matrix: rows, heads, or gate rows with their up rows. */
export interface MatrixPart {
  readonly first: number;
  readonly count: number;
  /** Rows of these units. */
  readonly rows: number;
  readonly format: WeightFormat;
  /** u32 [padded(K)]: the place in the input of what each column is multiplied by. Default: its own. */
  readonly columns?: GPUBuffer | undefined;
  /** The bindings of `format`. */
  readonly buffers: readonly GPUBuffer[];
}

/** A weight matrix. It has several parts by rows if a binding is too small for all, or if formats differ. */
export type Matrix = readonly MatrixPart[];

/** A vector is f32 [padded(length)]. */
export type LayerWeights = LayerTensors<Matrix, GPUBuffer>;
export type Weights = ModelTensors<Matrix, GPUBuffer>;

/** Every buffer in a fixed order. A tied embedding is listed twice, as lm_head too. */
export const weightBuffers = (weights: Weights): GPUBuffer[] =>
  flatTensors(
    weights,
    (matrix) => matrix.flatMap(({ buffers }) => buffers),
    (vector) => [vector],
  );
