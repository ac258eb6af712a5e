// In which format each matrix is loaded, and in which order of columns and rows.
import { scaleWords, type WeightFormatName, weightWords } from "../../../kernels/formats/table.ts";
import type { RequiredTensor } from "../../tensors.ts";
import { tensorName } from "../names.ts";
import type { Shards } from "../shards.ts";
import type { Order, Orders } from "./act-order.ts";
import { losslessFormat, type StoredMatrix } from "./stored-matrix.ts";

export interface LoadedAs extends Orders {
  readonly format: WeightFormatName;
  /** The format's buffers hold what the file stores. Only then are columns sorted. */
  readonly lossless: boolean;
  /** The input comes in the order of the columns: the rows of the matrices before are in this order. */
  readonly meets?: true;
}

/** Of a matrix whose numbers have no place in a smaller format. */
export const DECODED: WeightFormatName = "q8";
const PLAIN: Readonly<Record<string, WeightFormatName>> = { F32: "f32", F16: "f16", BF16: "bf16" };

/**
 * @param columns by name, the order that sorts the columns of a matrix into groups; undefined if they are in
 * order; no entry if there is none
 */
export function loadedAs(
  required: readonly RequiredTensor[],
  shards: Shards,
  matrices: ReadonlyMap<string, StoredMatrix>,
  columns: ReadonlyMap<string, Order | undefined>,
): ReadonlyMap<string, LoadedAs> {
  const loaded = new Map<string, LoadedAs>();
  for (const { kind, name } of required) {
    if (kind === "vector") continue;
    const matrix = matrices.get(name);
    const format = matrix
      ? losslessFormat(matrix, columns.has(name))
      : PLAIN[shards.tensors.get(name)?.dtype ?? ""];
    loaded.set(
      name,
      format ? { format, lossless: true, columns: columns.get(name) } : { format: DECODED, lossless: false },
    );
  }
  const at = (name: string) => loaded.get(name) as LoadedAs; // The graph needs all.
  for (const { name: gate, layer } of required.filter(({ role }) => role === "gateProj")) {
    const [up, down] = [tensorName("upProj", layer), tensorName("downProj", layer)];
    const both = [gate, up];
    // They share one format, the larger of the two.
    const [a, b] = [at(gate), at(up)];
    const format = rowWords(b.format) > rowWords(a.format) ? b.format : a.format;
    for (const name of both) if (at(name).format !== format) loaded.set(name, { format, lossless: false });
    const order = at(down).columns;
    if (!order || !both.every((name) => matrices.has(name))) continue;
    for (const name of both) loaded.set(name, { ...at(name), rows: order });
    loaded.set(down, { ...at(down), meets: true });
  }
  return loaded;
}

/** A measure of a format's size: words of a short row. */
const rowWords = (format: WeightFormatName): number => weightWords(format, 1) + scaleWords(format, 1);
