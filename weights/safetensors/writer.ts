// Makes the header of a safetensors file. The caller writes the tensors after it.
import { CheckpointError, label } from "../errors.ts";
import { byteLength, type DType } from "./header.ts";

export interface TensorToWrite {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** A tensor and its bytes [start, end) of the file. */
export interface Placed extends TensorToWrite {
  readonly start: number;
  readonly end: number;
}

export interface HeaderToWrite {
  /** The first bytes of the file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The tensors in the order given, one after another behind the header. */
  readonly tensors: readonly Placed[];
  /** Bytes of the whole file. */
  readonly fileBytes: number;
}

/** Makes the header. It ends on a multiple of eight bytes, so that elements of all dtypes are aligned. */
export function writeHeader(
  tensors: readonly TensorToWrite[],
  metadata?: Readonly<Record<string, string>>,
): HeaderToWrite {
  const entries: [string, unknown][] = metadata ? [["__metadata__", metadata]] : [];
  const offsets: { start: number; end: number }[] = [];
  let at = 0;
  for (const { name, dtype, shape } of tensors) {
    const bytes = byteLength(dtype, shape);
    if (bytes === undefined) {
      throw new CheckpointError(
        `${label(name)}: expected whole bytes below 2^53, got ${dtype} [${shape.join(", ")}].`,
      );
    }
    entries.push([name, { dtype, shape, data_offsets: [at, at + bytes] }]);
    offsets.push({ start: at, end: at + bytes });
    at += bytes;
  }
  // Object.fromEntries would put names that look like numbers first and merge equal ones.
  if (new Set(entries.map(([name]) => name)).size < entries.length) {
    throw new CheckpointError("safetensors header: expected every name once, got one twice. Rename it.");
  }
  const json = `{${entries.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(",")}}`;
  const text = new TextEncoder().encode(json);
  const dataStart = 8 + Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(dataStart).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(dataStart - 8), true);
  bytes.set(text, 8);
  const placed = tensors.map((tensor, i) => {
    const { start = 0, end = 0 } = offsets[i] ?? {};
    return { ...tensor, start: dataStart + start, end: dataStart + end };
  });
  return { bytes, tensors: placed, fileBytes: dataStart + at };
}
