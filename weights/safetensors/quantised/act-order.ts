// Act-order: the columns of a group are anywhere in a row, and a tensor names the group of each column.
// Sorted by group they are side by side, as the weight formats need them.
import type { RequiredTensor } from "../../tensors.ts";
import { wordsOf } from "./codes.ts";
import { type ReadPart, readGroupIndex } from "./groups.ts";
import { groupsOf, type StoredMatrix } from "./stored-matrix.ts";

/** An order of columns or rows: `order[i]` is the place in the file of what is read as number i. */
export type Order = Uint32Array<ArrayBuffer>;

/** How a matrix is read. */
export interface Orders {
  /** Missing: as stored. */
  readonly columns?: Order | undefined;
  readonly rows?: Order | undefined;
}

/** Tensors that are read at once. */
const AT_ONCE = 8;

/**
 * By name, the order that sorts the columns of a matrix into groups: undefined if they are in order, no entry
 * if there is none. Equal orders are one array. Matrices outside of layers are not sorted.
 * @param ordered the configuration says that all are in order; that is checked when they are read
 * @throws CheckpointError naming the tensor, if it names a group that does not exist
 */
export async function readColumns(
  required: readonly RequiredTensor[],
  matrices: ReadonlyMap<string, StoredMatrix>,
  ordered: boolean,
  read: ReadPart,
): Promise<ReadonlyMap<string, Order | undefined>> {
  const found = new Map<string, Order | undefined>();
  const known = new Map<string, Order>();
  const sort = async ({ name, layer }: RequiredTensor): Promise<void> => {
    const matrix = matrices.get(name);
    if (!matrix) return;
    const { groupIndex } = matrix;
    const inOrder = ordered || !groupIndex || groupsOf(matrix) === 1;
    const index = inOrder ? undefined : await readGroupIndex(matrix, groupIndex, read);
    if (!index) found.set(name, undefined);
    const order = index && layer !== undefined ? sortedColumns(matrix, index) : undefined;
    if (!order) return;
    const key = order.join();
    known.set(key, known.get(key) ?? order);
    found.set(name, known.get(key));
  };
  for (let i = 0; i < required.length; i += AT_ONCE)
    await Promise.all(required.slice(i, i + AT_ONCE).map(sort));
  return found;
}

/**
 * The columns sorted by group; those of a group stay in order.
 * @param index the group of each column
 * @returns undefined if a group has another number of columns than if they were in order
 */
function sortedColumns(matrix: StoredMatrix, index: Uint32Array): Order | undefined {
  const { K, group } = matrix;
  const next = Uint32Array.from({ length: groupsOf(matrix) }, (_, g) => g * group);
  const order = new Uint32Array(K);
  for (const [k, g] of index.entries()) {
    const at = next[g]!++;
    if (at >= Math.min((g + 1) * group, K)) return undefined;
    order[at] = k;
  }
  return order;
}

/** Sorts the codes of rows that are `width` words wide. Codes past the last column stay. */
export function sortCodes(words: Uint32Array, width: number, bits: 4 | 8, columns: Order): void {
  const codes = new Uint8Array((width * 32) / bits);
  const order = Uint32Array.from(codes, (_, k) => columns[k] ?? k);
  const sort = bits === 4 ? sortNibbles : sortBytes;
  for (let start = 0; start < words.length; start += width)
    sort(words.subarray(start, start + width), codes, order);
}

function sortBytes(row: Uint32Array, codes: Uint8Array, order: Uint32Array): void {
  const bytes = new Uint8Array(row.buffer, row.byteOffset, row.byteLength);
  codes.set(bytes);
  for (let k = 0; k < bytes.length; k++) bytes[k] = codes[order[k]!]!;
}

/** Written out, as a loop over the nibbles of a word takes twice the time. */
function sortNibbles(row: Uint32Array, codes: Uint8Array, order: Uint32Array): void {
  for (let i = 0, k = 0; i < row.length; i++) {
    const word = row[i]!;
    codes[k++] = word & 15;
    codes[k++] = (word >>> 4) & 15;
    codes[k++] = (word >>> 8) & 15;
    codes[k++] = (word >>> 12) & 15;
    codes[k++] = (word >>> 16) & 15;
    codes[k++] = (word >>> 20) & 15;
    codes[k++] = (word >>> 24) & 15;
    codes[k++] = word >>> 28;
  }
  for (let i = 0, k = 0; i < row.length; i++) {
    row[i] =
      codes[order[k++]!]! |
      (codes[order[k++]!]! << 4) |
      (codes[order[k++]!]! << 8) |
      (codes[order[k++]!]! << 12) |
      (codes[order[k++]!]! << 16) |
      (codes[order[k++]!]! << 20) |
      (codes[order[k++]!]! << 24) |
      (codes[order[k++]!]! << 28);
  }
}

/** The codes of a whole matrix, with its rows in another order. */
export function sortRows({ order, N }: StoredMatrix, stored: Uint8Array<ArrayBuffer>, rows: Order) {
  const sorted = new Uint8Array(stored.length);
  if (order === "rows") {
    const bytes = stored.length / N;
    for (let n = 0; n < N; n++)
      sorted.set(stored.subarray(rows[n]! * bytes, (rows[n]! + 1) * bytes), n * bytes);
    return sorted;
  }
  const [from, to] = [wordsOf(stored), new Uint32Array(sorted.buffer)];
  for (let at = 0; at < from.length; at += N) for (let n = 0; n < N; n++) to[at + n] = from[at + rows[n]!]!;
  return sorted;
}
