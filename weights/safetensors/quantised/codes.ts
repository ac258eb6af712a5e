// Codes as files order them -> codes row by row, which is how the weight formats order theirs.
import type { StoredMatrix } from "./stored-matrix.ts";

/** The nibble of an AWQ word for row 0, 1, … 7: from the lowest, nibbles are of rows 0 2 4 6 1 3 5 7. */
export const NIBBLE_OF_ROW = [0, 4, 1, 5, 2, 6, 3, 7] as const;

/** Bytes as little-endian words. Copies them if they are not aligned or end within a word. */
export function wordsOf(bytes: Uint8Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = bytes;
  if (byteOffset % 4 === 0 && byteLength % 4 === 0)
    return new Uint32Array(buffer, byteOffset, byteLength / 4);
  const words = new Uint32Array(Math.ceil(byteLength / 4));
  new Uint8Array(words.buffer).set(bytes);
  return words;
}

/**
 * Codes of rows [row, row + rows), each row `width` words wide, padded with `zero`.
 * @param stored the codes of these rows for the order `rows`, otherwise of the whole matrix
 */
export function codeRows(
  matrix: StoredMatrix,
  stored: Uint8Array<ArrayBuffer>,
  row: number,
  rows: number,
  width: number,
  zero: number,
): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(rows * width);
  if (matrix.order === "rows") copyRows(stored, rows, words, width);
  else if (matrix.order === "columns") transposeWords(wordsOf(stored), matrix.N, row, rows, words, width);
  else transposeNibbles(wordsOf(stored), matrix, row, rows, words, width);
  if (matrix.meaning === "signed") for (let i = 0; i < words.length; i++) words[i]! ^= 0x80808080;
  pad(matrix, words, width, zero);
  return words;
}

function copyRows(stored: Uint8Array, rows: number, words: Uint32Array<ArrayBuffer>, width: number): void {
  const stride = stored.byteLength / rows;
  const bytes = new Uint8Array(words.buffer);
  for (let r = 0; r < rows; r++)
    bytes.set(stored.subarray(r * stride, r * stride + Math.min(stride, 4 * width)), 4 * r * width);
}

/** Rows that are handled together, so that reading and writing both use whole cache lines. */
const BLOCK = 16;

function transposeWords(
  stored: Uint32Array,
  N: number,
  row: number,
  rows: number,
  words: Uint32Array,
  width: number,
): void {
  const height = stored.length / N;
  for (let r0 = 0; r0 < rows; r0 += BLOCK) {
    const r1 = Math.min(r0 + BLOCK, rows);
    for (let k = 0; k < height; k++)
      for (let r = r0; r < r1; r++) words[r * width + k] = stored[k * N + row + r]!;
  }
}

/** Blocks of 8 × 8 nibbles: a word for each column becomes a word for each row. */
function transposeNibbles(
  stored: Uint32Array,
  { N, K }: StoredMatrix,
  row: number,
  rows: number,
  words: Uint32Array,
  width: number,
): void {
  const stride = N / 8;
  const block = new Uint32Array(8);
  for (let octet = Math.floor(row / 8); octet < (row + rows) / 8; octet++) {
    for (let k = 0; k < K; k += 8) {
      for (let i = 0; i < 8; i++) block[i] = k + i < K ? stored[(k + i) * stride + octet]! : 0;
      transposeBlock(block);
      for (let j = 0; j < 8; j++) {
        const r = 8 * octet + j - row;
        if (r >= 0 && r < rows) words[r * width + k / 8] = block[NIBBLE_OF_ROW[j]!]!;
      }
    }
  }
}

/** The nibble at 4·j of word i becomes the nibble at 4·i of word j: halves, then bytes, then nibbles swap. */
function transposeBlock(a: Uint32Array): void {
  for (let r = 0; r < 4; r++) swap(a, r, r + 4, 16, 0xffff);
  for (const r of [0, 1, 4, 5]) swap(a, r, r + 2, 8, 0xff00ff);
  for (let r = 0; r < 8; r += 2) swap(a, r, r + 1, 4, 0xf0f0f0f);
}

function swap(a: Uint32Array, low: number, high: number, shift: number, mask: number): void {
  const both = ((a[low]! >>> shift) ^ a[high]!) & mask;
  a[high]! ^= both;
  a[low]! ^= both << shift;
}

/** Sets the codes after column K of each row. */
function pad({ K, bits }: StoredMatrix, words: Uint32Array, width: number, zero: number): void {
  const perWord = 32 / bits;
  const mask = 2 ** bits - 1;
  for (let k = K; k < width * perWord; k++) {
    const shift = bits * (k % perWord);
    for (let at = Math.floor(k / perWord); at < words.length; at += width)
      words[at] = (words[at]! & ~(mask << shift)) | (zero << shift);
  }
}
