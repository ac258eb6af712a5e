// Reads rows of a GGUF tensor. Rows of q and k that are stored for interleaved RoPE are put back into the
// order of rotate-half RoPE, head by head.
import { label, mismatch } from "../errors.ts";
import { type ReadRowsOptions, readRows, type TensorRows } from "../rows.ts";
import type { Source } from "../source.ts";
import type { TensorInfo } from "../tensor-info.ts";
import { scaleTooLarge } from "./blocks.ts";
import type { GgufType } from "./types.ts";

const DAMAGED = "The file is damaged: fetch it again, or choose another conversion of the model.";
const FINITE = ["finite scales", "infinity or NaN"] as const;

type From = Parameters<typeof readRows>[0]["source"];

/**
 * @param type of the file
 * @param headRows rows of a head, if they are stored for interleaved RoPE
 * @throws CheckpointError if the scale of a block is not finite, or too large for f16
 */
export async function* readGgufRows(
  source: From,
  tensor: TensorInfo,
  type: GgufType | undefined,
  headRows: number | undefined,
  options: ReadRowsOptions,
): AsyncGenerator<TensorRows, void, void> {
  const plain = { source, tensors: new Map() };
  const read =
    headRows === undefined ? readRows(plain, tensor, options) : readHeads(plain, tensor, headRows, options);
  for await (const part of read) {
    const wrong = type && scaleTooLarge(type, part.bytes);
    if (wrong) {
      const row = part.row + Math.floor((wrong.block * part.rows * type.bytes) / part.bytes.length);
      const where = `${tensor.file}: ${label(tensor.name)}`;
      const [expected, got] = wrong.finite ? ["scales below 1040", "a larger one"] : FINITE;
      throw mismatch(where, expected, `${got} in row ${row}`, DAMAGED);
    }
    yield part;
  }
}

/** @param d rows of a head */
async function* readHeads(
  plain: {
    readonly source: Pick<Source, "name" | "read">;
    readonly tensors: ReadonlyMap<string, TensorInfo>;
  },
  tensor: TensorInfo,
  d: number,
  { from = 0, to = tensor.shape[0] ?? 0, maxBytes, signal }: ReadRowsOptions,
): AsyncGenerator<TensorRows, void, void> {
  const rowBytes = (tensor.end - tensor.start) / (tensor.shape[0] ?? 1);
  const most = Math.max(1, Math.floor(maxBytes / rowBytes));
  const step = d * Math.max(1, Math.floor(most / d));
  for (let first = from - (from % d); first < to; first += step) {
    const end = Math.min(first + step, Math.ceil(to / d) * d);
    const heads = { from: first, to: end, maxBytes: (end - first) * rowBytes, signal };
    for await (const { bytes } of readRows(plain, tensor, heads)) {
      const ordered = rotateHalf(bytes, rowBytes, d);
      for (let row = Math.max(first, from); row < Math.min(end, to); row += most) {
        const rows = Math.min(most, end - row, to - row);
        const at = (row - first) * rowBytes;
        yield { row, rows, bytes: ordered.subarray(at, at + rows * rowBytes) };
      }
    }
  }
}

/** Rows 2i and 2i + 1 of a head become its rows i and i + d/2. */
function rotateHalf(bytes: Uint8Array<ArrayBuffer>, rowBytes: number, d: number): Uint8Array<ArrayBuffer> {
  const ordered = new Uint8Array(bytes.length);
  for (let row = 0, at = 0; at < bytes.length; row++, at += rowBytes) {
    const inHead = row % d;
    const to = row - inHead + (inHead >> 1) + (inHead & 1) * (d / 2);
    ordered.set(bytes.subarray(at, at + rowBytes), to * rowBytes);
  }
  return ordered;
}
