// Matrices of FP8 numbers (E4M3): a scale for the whole matrix, for each row, or for each block.
import type { Fields } from "../../fields.ts";
import { FLOATS, type Method, unsupported, type Wanted } from "./method.ts";
import type { StoredMatrix } from "./stored-matrix.ts";

/** Rows and columns that share a scale; undefined: all. */
export interface Block {
  readonly rows: number | undefined;
  readonly columns: number | undefined;
}

/** @throws CheckpointError naming the field */
export function fp8(fields: Fields): Method {
  if ((fields.get("fmt") ?? "e4m3") !== "e4m3") throw unsupported(fields, "fmt", '"e4m3"');
  const block = blockOf(fields, "weight_block_size") ?? { rows: undefined, columns: undefined };
  return {
    name: "fp8",
    ordered: true,
    matrix: (wanted) => fp8Matrix(wanted, "weight_scale_inv", block),
  };
}

/** [rows, columns]; undefined if the field is missing or null. */
export function blockOf(fields: Fields, name: string): Block | undefined {
  if (!fields.given(name)) return undefined;
  const value = fields.get(name);
  const [rows, columns, ...others]: unknown[] = Array.isArray(value) ? value : [];
  const isSize = (n: unknown): n is number => Number.isInteger(n) && Number(n) > 0;
  if (isSize(rows) && isSize(columns) && others.length === 0) return { rows, columns };
  throw unsupported(fields, name, "[rows, columns]");
}

/** A matrix of FP8 numbers that are multiplied with scales; undefined for one of ordinary floats. */
export function fp8Matrix(
  { name, module, N, K, stored }: Wanted,
  scale: string,
  { rows = N, columns = K }: Block,
): StoredMatrix | undefined {
  if (!stored(scale) && stored("weight")?.dtype !== "F8_E4M3") return undefined;
  const G = Math.ceil(K / columns);
  // One scale is a number, or a vector or matrix of one.
  const one = rows >= N && columns >= K ? stored(scale)?.shape.every((n) => n === 1) : false;
  const shape = one ? (stored(scale)?.shape ?? []) : [Math.ceil(N / rows), G];
  return {
    ...{ name, N, K, bits: 8, group: columns, order: "rows", meaning: "e4m3", zeros: 0 },
    codes: { name: `${module}.weight`, dtypes: ["F8_E4M3"], shape: [N, K] },
    scales: { name: `${module}.${scale}`, dtypes: FLOATS, shape },
    scaleAt: (n, g) => Math.floor(n / rows) * G + g,
    ...(stored("bias") && { bias: { name: `${module}.bias`, dtypes: FLOATS, shape: [N] } }),
  };
}
