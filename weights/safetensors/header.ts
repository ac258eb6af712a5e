// The header of a safetensors file, checked strictly: eight bytes of length, JSON, then the tensors without
// holes up to the last byte of the file.
import { label, mismatch, show } from "../errors.ts";
import { foreignFile } from "../foreign-file.ts";
import { isObject, type JsonObject, own, parseJson } from "../json.ts";
import type { Source } from "../source.ts";

/** Bits of one element. The graph reads F32, F16 and BF16, and U32 in checkpoints that Sirocco packed. */
const BITS = {
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

export type DType = keyof typeof BITS;

/** One tensor: what it is, and the bytes [start, end) of the file that hold it. */
export interface HeaderTensor {
  readonly name: string;
  /** The format may get new ones. The size of a tensor is checked only for those known here. */
  readonly dtype: DType | (string & {});
  readonly shape: readonly number[];
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

export interface Header {
  /** In file order. */
  readonly tensors: readonly HeaderTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The bound of the reference implementation. */
const MAX_HEADER_BYTES = 100_000_000;
/** Space, tab, line feed, carriage return. */
const BLANKS: readonly number[] = [0x20, 0x09, 0x0a, 0x0d];
const ADVICE = "The file is damaged or incomplete: fetch it again.";

/** Bytes of a tensor; undefined if they are no whole number below 2^53. */
export function byteLength(dtype: DType, shape: readonly number[]): number | undefined {
  const bytes = (shape.reduce((product, n) => product * n, 1) * BITS[dtype]) / 8;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Reads and checks the header of `file`. @throws CheckpointError naming file and tensor. */
export async function readHeader(source: Source, file: string, signal?: AbortSignal): Promise<Header> {
  const size = await source.size(file, signal);
  if (size === undefined)
    throw mismatch(file, "a safetensors file", "no such file", `Add it to ${source.name}.`);
  if (size < 10) throw mismatch(file, "a safetensors file", `${size} bytes`, ADVICE);
  const prefix = await source.read(file, 0, 8, signal);
  const length = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    const foreign = foreignFile(prefix);
    if (foreign) throw mismatch(file, "a safetensors file", foreign.got, foreign.advice);
    throw mismatch(file, `a header of at most ${MAX_HEADER_BYTES} bytes`, `${length}`, ADVICE);
  }
  const dataStart = 8 + Number(length);
  if (dataStart > size) throw mismatch(file, `a header of ${length} bytes`, `a file of ${size}`, ADVICE);
  const bytes = await source.read(file, 8, dataStart, signal);
  // The specification demands a brace first. The reference implementation also accepts whitespace before it.
  if (bytes.find((byte) => !BLANKS.includes(byte)) !== 0x7b) {
    throw mismatch(
      file,
      'a header that begins with "{"',
      show(String.fromCharCode(...bytes.subarray(0, 16))),
      ADVICE,
    );
  }
  return parseHeader(parseJson(bytes, file, ADVICE), file, dataStart, size);
}

function parseHeader(json: JsonObject, file: string, dataStart: number, size: number): Header {
  const metadata = parseMetadata(own(json, "__metadata__"), file);
  const tensors: HeaderTensor[] = [];
  for (const [name, entry] of Object.entries(json)) {
    if (name !== "__metadata__") tensors.push(parseTensor(name, entry, file, dataStart, size));
  }
  tensors.sort((a, b) => a.start - b.start || a.end - b.end);
  let end = dataStart;
  for (const tensor of tensors) {
    if (tensor.start !== end) {
      const fault = tensor.start < end ? "an overlap" : "a hole";
      const where = `${file}: ${label(tensor.name)}`;
      throw mismatch(
        where,
        `data from byte ${end - dataStart}`,
        `${tensor.start - dataStart}: ${fault}`,
        ADVICE,
      );
    }
    end = tensor.end;
  }
  if (end !== size) {
    const last = tensors.at(-1);
    const where = last ? `${file}: ${label(last.name)}, the last tensor` : file;
    throw mismatch(where, `the file to end at byte ${end}`, `${size} bytes`, ADVICE);
  }
  return { tensors, metadata };
}

function parseMetadata(value: unknown, file: string): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  const where = `${file}: __metadata__`;
  if (!isObject(value)) throw mismatch(where, "an object of strings", show(value), ADVICE);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") throw mismatch(`${where}: ${label(key)}`, "a string", show(text), ADVICE);
  }
  return value as Readonly<Record<string, string>>; // Every value was just seen to be a string.
}

function parseTensor(
  name: string,
  entry: unknown,
  file: string,
  dataStart: number,
  size: number,
): HeaderTensor {
  const where = `${file}: ${label(name)}`;
  if (!isObject(entry))
    throw mismatch(where, "an object with dtype, shape, data_offsets", show(entry), ADVICE);
  const extra = Object.keys(entry).find((key) => !["dtype", "shape", "data_offsets"].includes(key));
  if (extra !== undefined) throw mismatch(where, "dtype, shape and data_offsets only", label(extra), ADVICE);

  const dtype = own(entry, "dtype");
  if (!isDType(dtype)) throw mismatch(where, "a known dtype", show(dtype), ADVICE);
  const shape = own(entry, "shape");
  if (!isCounts(shape)) throw mismatch(where, "a shape of whole numbers below 2^53", show(shape), ADVICE);
  const offsets = own(entry, "data_offsets");
  if (!isCounts(offsets) || offsets.length !== 2) {
    throw mismatch(where, "data_offsets of two whole numbers below 2^53", show(offsets), ADVICE);
  }
  const [start = 0, end = 0] = offsets;
  if (start > end || end > size - dataStart) {
    throw mismatch(where, `data_offsets within ${size - dataStart} bytes of data`, show(offsets), ADVICE);
  }
  const bytes = isKnown(dtype) ? byteLength(dtype, shape) : end - start;
  if (bytes !== end - start) {
    const expected = `${bytes ?? "no more than 2^53"} bytes for ${dtype} ${show(shape)}`;
    throw mismatch(where, expected, `${end - start}`, ADVICE);
  }
  return { name, dtype, shape, file, start: dataStart + start, end: dataStart + end };
}

const isKnown = (dtype: string): dtype is DType => Object.hasOwn(BITS, dtype);

/** A dtype, or a name that could be one of a later version of the format. */
function isDType(value: unknown): value is string {
  return typeof value === "string" && /^[A-Z][A-Z0-9_]{1,30}$/.test(value);
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}
