// The rows of GPU buffers that rows of a checkpoint tensor are uploaded to.
import type { WeightFormat } from "../../kernels/index.ts";
import type { RowRange } from "../graph/layout.ts";

/** Where some rows of a checkpoint tensor go: into which buffers, as a matrix of how many rows. */
export interface UploadTarget extends RowRange {
  readonly buffers: readonly GPUBuffer[];
  readonly format: WeightFormat;
  readonly N: number;
  readonly K: number;
}
