// Rows of quantised matrices: in the bytes of a weight format, or decoded to f32.
import { numberToF16 } from "../../../kernels/formats/half.ts";
import {
  formatTable,
  scaleWords,
  type WeightFormatName,
  weightWords,
} from "../../../kernels/formats/table.ts";
import { mismatch } from "../../errors.ts";
import type { ReadRowsOptions, TensorRows } from "../../rows.ts";
import type { Source } from "../../source.ts";
import type { HeaderTensor } from "../header.ts";
import { type Orders, sortCodes, sortRows } from "./act-order.ts";
import { codeRows } from "./codes.ts";
import { e4m3 } from "./e4m3.ts";
import { DAMAGED, type Groups, type ReadPart, readGroups } from "./groups.ts";
import { groupsOf, type Part, type StoredMatrix } from "./stored-matrix.ts";

/** What a tensor of the checkpoint holds of a matrix. */
export interface Piece extends Orders {
  readonly matrix: StoredMatrix;
  readonly kind: "words" | "scales" | "floats";
  /** Of the words and scales. */
  readonly format: WeightFormatName;
  /** The tensor of the file that is read in order, and checked as it is read. */
  readonly part: Part;
}

type Reader = Pick<Source, "read">;
type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes of a row of a piece. */
export function pieceRowBytes({ matrix: { K }, kind, format }: Piece): number {
  if (kind === "floats") return 4 * K;
  return 4 * (kind === "words" ? weightWords(format, K) : scaleWords(format, K));
}

/** What is kept of the tensor that is read, until its last row. */
interface Held {
  readonly piece: Piece;
  groups?: Promise<Groups>;
  /** The codes, if rows are not stored one after the other. */
  codes?: Promise<Bytes>;
}

/** Reads rows of pieces. The last one is kept while its rows are asked for range by range. */
export class PieceReader {
  readonly #source: Reader;
  readonly #tensors: ReadonlyMap<string, HeaderTensor>;
  #held: Held | undefined;

  constructor(source: Reader, tensors: ReadonlyMap<string, HeaderTensor>) {
    this.#source = source;
    this.#tensors = tensors;
  }

  /** A whole tensor of the checkpoint. */
  async part(part: Part, signal: AbortSignal | undefined, source = this.#source): ReturnType<ReadPart> {
    const tensor = this.#tensor(part);
    return { tensor, bytes: await this.#read(source, tensor, signal) };
  }

  /** @param source where the piece's own tensor is read. What belongs to it is read from the checkpoint's. */
  async *rows(
    piece: Piece,
    { from = 0, to = piece.matrix.N, maxBytes, signal }: ReadRowsOptions,
    source: Reader,
  ): AsyncGenerator<TensorRows, void, void> {
    const step = Math.max(1, Math.floor(maxBytes / pieceRowBytes(piece)));
    if (this.#held?.piece !== piece) this.#held = { piece };
    const held = this.#held;
    try {
      for (let row = from; row < to; row += step) {
        signal?.throwIfAborted();
        const rows = Math.min(step, to - row);
        const words = await this.#make(held, row, rows, source, signal);
        yield { row, rows, bytes: new Uint8Array(words.buffer) };
      }
      if (to === piece.matrix.N) this.#held = undefined;
    } catch (error) {
      this.#held = undefined;
      throw error;
    }
  }

  async #make(
    held: Held,
    row: number,
    rows: number,
    source: Reader,
    signal: AbortSignal | undefined,
  ): Promise<Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>> {
    const { matrix, kind, part } = held.piece;
    if (kind === "words")
      return resident(held.piece, await this.#codes(held, row, rows, source, signal), row, rows);
    held.groups ??= readGroups(matrix, (each) =>
      this.part(each, signal, each === part ? source : this.#source),
    );
    // Codes are read at the same time as what belongs to them.
    const codes = kind === "floats" ? this.#codes(held, row, rows, source, signal) : undefined;
    codes?.catch(() => {}); // It is awaited below.
    const groups = inOrder(await held.groups, held.piece);
    if (kind === "scales") this.#checkOrder(matrix, groups);
    if (!codes) return scaleRows(held.piece, groups, row, rows, this.#tensor(matrix.scales));
    return decoded(matrix, groups, await codes, row, rows, this.#tensor(matrix.codes));
  }

  /** The configuration's word was taken when the format was chosen. */
  #checkOrder({ groupIndex }: StoredMatrix, { index }: Groups): void {
    if (!groupIndex || !index) return;
    const { file, name } = this.#tensor(groupIndex);
    const expected = "columns in the order of their groups, as the configuration says";
    const advice = 'Set desc_act to true, or actorder to "group", in it.';
    throw mismatch(`${file}: ${name}`, expected, "act-order", advice);
  }

  #codes(
    held: Held,
    row: number,
    rows: number,
    source: Reader,
    signal: AbortSignal | undefined,
  ): Promise<Bytes> {
    const { matrix, rows: order } = held.piece;
    const tensor = this.#tensor(matrix.codes);
    const rowBytes = (tensor.end - tensor.start) / matrix.N;
    if (matrix.order === "rows" && !order) {
      const start = tensor.start + row * rowBytes;
      return this.#read(source, { ...tensor, start, end: start + rows * rowBytes }, signal);
    }
    held.codes ??= this.#read(source, tensor, signal).then((bytes) =>
      order ? sortRows(matrix, bytes, order) : bytes,
    );
    if (matrix.order !== "rows") return held.codes;
    return held.codes.then((bytes) => bytes.slice(row * rowBytes, (row + rows) * rowBytes));
  }

  #tensor({ name }: Part): HeaderTensor {
    return this.#tensors.get(name) as HeaderTensor; // Every part was checked.
  }

  async #read(
    source: Reader,
    { file, name, start, end }: HeaderTensor,
    signal: AbortSignal | undefined,
  ): Promise<Bytes> {
    const bytes = await source.read(file, start, end, signal);
    if (bytes.length === end - start) return bytes;
    throw mismatch(`${file}: ${name}`, `${end - start} bytes`, `${bytes.length}`, "Fetch the file again.");
  }
}

/** The groups of rows in the order that they are read in. */
const inOrder = (groups: Groups, { rows }: Piece): Groups =>
  rows ? { ...groups, a: (n, g) => groups.a(rows[n]!, g), b: (n, g) => groups.b(rows[n]!, g) } : groups;

/** Words of the codes of a format. */
function resident(
  { matrix, format, columns }: Piece,
  codes: Bytes,
  row: number,
  rows: number,
): Uint32Array<ArrayBuffer> {
  const padding = isPaired(format) ? 0 : 2 ** (matrix.bits - 1);
  const words = codeRows(matrix, codes, row, rows, weightWords(format, matrix.K), padding);
  if (columns) sortCodes(words, weightWords(format, matrix.K), matrix.bits, columns);
  // q8 has signed bytes.
  if (format === "q8") for (let i = 0; i < words.length; i++) words[i]! ^= 0x80808080;
  return words;
}

/** Whether groups have a scale and an offset. */
const isPaired = (format: WeightFormatName): boolean => formatTable[format].scaleBits === 32;

/** Scales of q4 or q8, two f16 to a word; or the pairs of q4a, an f16 of scale and one of offset. */
function scaleRows(
  { matrix, format }: Piece,
  groups: Groups,
  row: number,
  rows: number,
  { file, name }: HeaderTensor,
): Uint32Array<ArrayBuffer> {
  const width = scaleWords(format, matrix.K);
  const words = new Uint32Array(rows * width);
  const halves = new Uint16Array(words.buffer);
  const columns = formatTable[format].group;
  const count = Math.ceil(matrix.K / columns);
  const half = (value: number): number => {
    if (Math.abs(value) <= MAX_F16) return numberToF16(value);
    throw mismatch(`${file}: ${name}`, `scales up to ${MAX_F16}`, `${value}`, "Choose another checkpoint.");
  };
  for (let r = 0; r < rows; r++) {
    for (let g = 0; g < groupsOf(matrix); g++) {
      const a = half(groups.a(row + r, g));
      const first = (g * matrix.group) / columns;
      const end = Math.min(first + Math.ceil(matrix.group / columns), count);
      if (isPaired(format))
        words.fill(a | (half(groups.b(row + r, g)) << 16), r * width + first, r * width + end);
      else halves.fill(a, 2 * r * width + first, 2 * r * width + end);
    }
  }
  return words;
}

const MAX_F16 = 65504;

/** Weights in f32. */
function decoded(
  matrix: StoredMatrix,
  groups: Groups,
  stored: Bytes,
  row: number,
  rows: number,
  { file, name }: HeaderTensor,
): Float32Array<ArrayBuffer> {
  const { K, bits, meaning, group } = matrix;
  const perWord = 32 / bits;
  const mask = 2 ** bits - 1;
  const width = Math.ceil(K / perWord);
  const words = codeRows(matrix, stored, row, rows, width, 0);
  const values = new Float32Array(rows * K);
  const [a, b] = [new Float64Array(groupsOf(matrix)), new Float64Array(groupsOf(matrix))];
  for (let r = 0; r < rows; r++) {
    for (let g = 0; g < a.length; g++) {
      a[g] = groups.a(row + r, g);
      b[g] = groups.b(row + r, g);
    }
    for (let k = 0; k < K; k++) {
      const code = (words[r * width + Math.floor(k / perWord)]! >>> (bits * (k % perWord))) & mask;
      const g = groups.index ? groups.index[k]! : Math.floor(k / group);
      const value = (meaning === "e4m3" ? e4m3[code]! : code) * a[g]! + b[g]!;
      if (Number.isNaN(value)) {
        throw mismatch(`${file}: ${name}`, "numbers", `NaN in row ${row + r}, column ${k}`, DAMAGED);
      }
      values[r * K + k] = value;
    }
  }
  return values;
}
