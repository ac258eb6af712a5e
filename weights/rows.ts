// A tensor's bytes in chunks of whole rows, so that host memory does not grow with the tensor.
import type { Checkpoint } from "./checkpoint.ts";
import { CheckpointError } from "./errors.ts";
import type { TensorInfo } from "./safetensors.ts";

/** `rows` whole rows of a tensor from row `row` on; a vector is one row. */
export interface Rows {
  readonly row: number;
  readonly rows: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface ReadRowsOptions {
  /** Most bytes of a chunk; a single row may be larger. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/** Reads a tensor in file order. */
export async function* readRows(
  checkpoint: Pick<Checkpoint, "source" | "tensors">,
  tensor: string | TensorInfo,
  { maxBytes, signal }: ReadRowsOptions,
): AsyncGenerator<Rows, void, void> {
  const info = typeof tensor === "string" ? checkpoint.tensors.get(tensor) : tensor;
  if (!info)
    throw new CheckpointError(`${tensor}: expected a tensor of ${checkpoint.source.name}, got none.`);
  const { file, shape, start, end } = info;
  const total = shape.length > 1 ? (shape[0] ?? 0) : 1;
  const rowBytes = (end - start) / total;
  const step = Math.max(1, Math.floor(maxBytes / rowBytes));
  for (let row = 0; row < total; row += step) {
    signal?.throwIfAborted();
    const rows = Math.min(step, total - row);
    const first = start + row * rowBytes;
    yield { row, rows, bytes: await checkpoint.source.read(file, first, first + rows * rowBytes, signal) };
  }
}
