// Reads a tensor in chunks of whole rows, so that host memory does not grow with the tensor.
import { CheckpointError, label, mismatch } from "./errors.ts";
import { firstNotFinite } from "./first-not-finite.ts";
import type { Source } from "./source.ts";
import type { TensorInfo } from "./tensor-info.ts";

/** Rows [row, row + rows) of a tensor. A vector is one row. */
export interface TensorRows {
  readonly row: number;
  readonly rows: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface ReadRowsOptions {
  /** Rows [from, to). Default: all. */
  readonly from?: number;
  readonly to?: number;
  /** The most bytes of a chunk. A single row may be larger. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads rows of a tensor in file order.
 * @throws CheckpointError if the source gives fewer or more bytes than asked for, or infinity or NaN
 */
export async function* readRows(
  {
    source,
    tensors,
  }: {
    readonly source: Pick<Source, "name" | "read">;
    readonly tensors: ReadonlyMap<string, TensorInfo>;
  },
  tensor: string | TensorInfo,
  { from = 0, to, maxBytes, signal }: ReadRowsOptions,
): AsyncGenerator<TensorRows, void, void> {
  const info = typeof tensor === "string" ? tensors.get(tensor) : tensor;
  if (!info) throw new CheckpointError(`${tensor}: expected a tensor of ${source.name}, got none.`);
  const { name, file, shape, start, end, encoding } = info;
  const total = shape.length > 1 ? (shape[0] ?? 0) : 1;
  const rowBytes = (end - start) / total;
  const step = Math.max(1, Math.floor(maxBytes / rowBytes));
  const last = to ?? total;
  for (let row = from; row < last; row += step) {
    signal?.throwIfAborted();
    const rows = Math.min(step, last - row);
    const first = start + row * rowBytes;
    const bytes = await source.read(file, first, first + rows * rowBytes, signal);
    if (bytes.length !== rows * rowBytes) {
      throw mismatch(
        `${file}: ${name}`,
        `${rows * rowBytes} bytes`,
        `${bytes.length}`,
        "Fetch the file again.",
      );
    }
    const wrong = firstNotFinite(encoding, bytes);
    if (wrong >= 0) {
      const got = `infinity or NaN in row ${row + Math.floor((4 * wrong) / rowBytes)}`;
      const advice = "The file is damaged, or the model is: fetch it again, or choose another.";
      throw mismatch(`${file}: ${label(name)}`, "finite numbers", got, advice);
    }
    yield { row, rows, bytes };
  }
}
