// The header of a GGUF file: metadata, and where each tensor is. The file is not trusted: counts and lengths
// are held against its size before anything is allocated.
import { label, mismatch, show } from "../errors.ts";
import { foreignFile } from "../foreign-file.ts";
import type { Source } from "../source.ts";
import { Cursor } from "./cursor.ts";
import { type GgufType, typeName, typeOf } from "./types.ts";

export type GgufValue = number | boolean | string | readonly GgufValue[];

/** A tensor, and the bytes [start, end) of the file that hold it. */
export interface GgufTensor {
  readonly name: string;
  /** undefined if the type is not known: then `end` is `start`. */
  readonly type: GgufType | undefined;
  /** The name of the type, for messages. */
  readonly typeName: string;
  /** Rows first, as everywhere here. The file has the length of a row first. */
  readonly shape: readonly number[];
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

export interface GgufHeader {
  readonly file: string;
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** In the order of their bytes. */
  readonly tensors: readonly GgufTensor[];
}

const ADVICE = "The file is damaged or incomplete: fetch it again.";
const MAGIC = 0x46554747;
const VERSIONS: readonly number[] = [2, 3];
/** Bytes of the shortest key with its value, and of the shortest description of a tensor. */
const [MIN_PAIR, MIN_TENSOR] = [14, 33];
const MAX_KEY = 65535;
const MAX_NAME = 64;
const MAX_DIMENSIONS = 4;
const MAX_DEPTH = 4;
/** Elements of an array. The largest are vocabularies. */
const MAX_ELEMENTS = 2 ** 22;
const DEFAULT_ALIGNMENT = 32;

/** Reads and checks the header of `file`. @throws CheckpointError naming the file, and the key or tensor */
export async function readHeader(source: Source, file: string, signal?: AbortSignal): Promise<GgufHeader> {
  const size = await source.size(file, signal);
  if (size === undefined) {
    throw mismatch(file, "a GGUF file", "no such file", `Add it to ${source.name}.`, "not-found");
  }
  if (size < 24) throw mismatch(file, "a GGUF file", `${size} bytes`, ADVICE);
  const read = (start: number, end: number) => source.read(file, start, end, signal);
  const cursor = new Cursor(file, size, read);
  const { version, tensorCount, pairCount } = await cursor.parse(file, () => readCounts(cursor));
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < pairCount; i++) {
    const [key, value] = await cursor.parse(`${file}: key ${i + 1} of ${pairCount}`, () => readPair(cursor));
    if (metadata.has(key)) throw mismatch(`${file}: ${label(key)}`, "a key once", "it twice", ADVICE);
    metadata.set(key, value);
  }
  const alignment = alignmentOf(metadata, file);
  const described: Described[] = [];
  for (let i = 0; i < tensorCount; i++) {
    const where = `${file}: tensor ${i + 1} of ${tensorCount}`;
    described.push(await cursor.parse(where, () => readTensor(cursor)));
  }
  const dataStart = Math.ceil(cursor.at / alignment) * alignment;
  return { file, version, metadata, tensors: place(described, file, dataStart, size, alignment) };
}

function readCounts(cursor: Cursor) {
  const { where } = cursor;
  const magic = cursor.u32();
  const version = cursor.u32();
  if (magic !== MAGIC) {
    const begin = cursor.bytesAt(0, 8);
    const foreign = foreignFile(begin);
    const got = foreign?.got ?? show(String.fromCharCode(...begin));
    throw mismatch(where, "a GGUF file", got, foreign?.advice ?? ADVICE);
  }
  if (!VERSIONS.includes(version)) {
    const turned = VERSIONS.includes(version / 2 ** 24);
    const got = turned ? "a big-endian file" : `version ${version}`;
    throw mismatch(where, "GGUF of version 2 or 3", got, "Choose a newer conversion of the model.");
  }
  const tensorCount = cursor.count("tensors", MIN_TENSOR);
  return { version, tensorCount, pairCount: cursor.count("keys", MIN_PAIR) };
}

function readPair(cursor: Cursor): [key: string, value: GgufValue] {
  const key = cursor.text(MAX_KEY);
  cursor.where = `${cursor.file}: ${label(key)}`;
  return [key, readValue(cursor, cursor.u32(), 0)];
}

/** Bytes of a value, and how to read it, by the number of its type. */
const SCALARS: ReadonlyMap<number, readonly [bytes: number, read: (cursor: Cursor) => GgufValue]> = new Map([
  [0, [1, (cursor) => cursor.view.getUint8(cursor.take(1))]],
  [1, [1, (cursor) => cursor.view.getInt8(cursor.take(1))]],
  [2, [2, (cursor) => cursor.view.getUint16(cursor.take(2), true)]],
  [3, [2, (cursor) => cursor.view.getInt16(cursor.take(2), true)]],
  [4, [4, (cursor) => cursor.u32()]],
  [5, [4, (cursor) => cursor.view.getInt32(cursor.take(4), true)]],
  [6, [4, (cursor) => cursor.view.getFloat32(cursor.take(4), true)]],
  [7, [1, (cursor) => cursor.flag()]],
  [8, [8, (cursor) => cursor.text()]],
  [10, [8, (cursor) => Number(cursor.view.getBigUint64(cursor.take(8), true))]],
  [11, [8, (cursor) => Number(cursor.view.getBigInt64(cursor.take(8), true))]],
  [12, [8, (cursor) => cursor.view.getFloat64(cursor.take(8), true)]],
]);
const ARRAY = 9;
/** Bytes of an empty array. */
const ARRAY_BYTES = 12;

function readValue(cursor: Cursor, type: number, depth: number): GgufValue {
  const scalar = SCALARS.get(type);
  if (scalar) return scalar[1](cursor);
  const { where } = cursor;
  if (type !== ARRAY) throw mismatch(where, "a type of value from 0 to 12", `${type}`, ADVICE);
  if (depth === MAX_DEPTH) throw mismatch(where, `arrays at most ${MAX_DEPTH} deep`, "deeper ones", ADVICE);
  const inner = cursor.u32();
  const bytes = inner === ARRAY ? ARRAY_BYTES : SCALARS.get(inner)?.[0];
  if (bytes === undefined) throw mismatch(where, "a type of elements from 0 to 12", `${inner}`, ADVICE);
  const count = cursor.count("elements", bytes);
  if (count > MAX_ELEMENTS) throw mismatch(where, `at most ${MAX_ELEMENTS} elements`, `${count}`, ADVICE);
  // So that the elements are not read again after each part of them that arrives.
  cursor.expect(count * bytes);
  return Array.from({ length: count }, () => readValue(cursor, inner, depth + 1));
}

function alignmentOf(metadata: ReadonlyMap<string, GgufValue>, file: string): number {
  const value = metadata.get("general.alignment") ?? DEFAULT_ALIGNMENT;
  if (typeof value === "number" && value >= 8 && value <= 2 ** 20 && value % 8 === 0) return value;
  throw mismatch(`${file}: general.alignment`, "a multiple of 8 up to 2^20", show(value), ADVICE);
}

/** A tensor as the header describes it. */
interface Described {
  readonly name: string;
  readonly type: number;
  readonly shape: readonly number[];
  readonly bytes: number;
  /** From the start of the data. */
  readonly offset: number;
}

function readTensor(cursor: Cursor): Described {
  const name = cursor.text(MAX_NAME);
  cursor.where = `${cursor.file}: ${label(name)}`;
  const { where } = cursor;
  const dimensions = cursor.u32();
  if (dimensions < 1 || dimensions > MAX_DIMENSIONS)
    throw mismatch(where, `1 to ${MAX_DIMENSIONS} dimensions`, `${dimensions}`, ADVICE);
  const shape = Array.from({ length: dimensions }, () => cursor.u64("a dimension"));
  const type = cursor.u32();
  const offset = cursor.u64("an offset");
  const weights = shape.reduce((product, n) => product * n, 1);
  if (!Number.isSafeInteger(weights) || weights < 1)
    throw mismatch(where, "dimensions from 1 on, with a product below 2^53", show(shape), ADVICE);
  const { block, bytes, name: kind } = typeOf(type) ?? { block: 1, bytes: 0 };
  const K = shape[0] ?? 0;
  if (K % block !== 0)
    throw mismatch(where, `rows of a multiple of ${block} weights in ${kind}`, `${K}`, ADVICE);
  return { name, type, shape: shape.reverse(), bytes: (weights / block) * bytes, offset };
}

/** @throws CheckpointError for tensors outside of the file, over each other, or with the same name */
function place(
  described: readonly Described[],
  file: string,
  dataStart: number,
  size: number,
  alignment: number,
): GgufTensor[] {
  const names = new Set<string>();
  let end = 0;
  return [...described]
    .sort((a, b) => a.offset - b.offset || a.bytes - b.bytes)
    .map(({ name, type, shape, bytes, offset }) => {
      const where = `${file}: ${label(name)}`;
      if (names.has(name)) throw mismatch(where, "a tensor once", "it twice", ADVICE);
      names.add(name);
      if (offset % alignment !== 0)
        throw mismatch(where, `an offset that is a multiple of ${alignment}`, `${offset}`, ADVICE);
      if (offset < end) throw mismatch(where, `data from byte ${end} on`, `${offset}: an overlap`, ADVICE);
      if (dataStart + offset + bytes > size)
        throw mismatch(where, `a file of ${dataStart + offset + bytes} bytes`, `${size}`, ADVICE);
      end = offset + bytes;
      const start = dataStart + offset;
      return { name, type: typeOf(type), typeName: typeName(type), shape, file, start, end: start + bytes };
    });
}
