// A way of quantising: what a configuration says of all matrices.
import { mismatch, show } from "../../errors.ts";
import type { Fields } from "../../fields.ts";
import type { HeaderTensor } from "../header.ts";
import type { StoredMatrix } from "./stored-matrix.ts";

/** A matrix of the graph, and where its tensors may be. */
export interface Wanted {
  /** Name of the matrix. */
  readonly name: string;
  /** Its name without `.weight`: the tensors of a quantised matrix begin with it. */
  readonly module: string;
  readonly N: number;
  readonly K: number;
  /** The tensor of the module with this name; undefined: none. */
  stored(suffix: string): HeaderTensor | undefined;
}

export interface Method {
  /** For messages: "GPTQ with 4 bits". */
  readonly name: string;
  /** Whether the columns of a group are side by side. Checked when a matrix is read. */
  readonly ordered: boolean;
  /** @returns undefined for a matrix that is not quantised */
  matrix(wanted: Wanted): StoredMatrix | undefined;
}

export const FLOATS = ["F16", "BF16", "F32"] as const;
export const WORDS = ["I32", "U32"] as const;

/** What to do instead. */
export const ADVICE =
  "Choose a GPTQ, AWQ (gemm), compressed-tensors, MLX or fp8 checkpoint of 4 or 8 bits, or the original weights: Sirocco quantises them itself.";

/** The error for a field with a value that Sirocco does not run. */
export const unsupported = (fields: Fields, name: string, expected: string): Error =>
  fields.wrong(name, expected, ADVICE);

/** 4 or 8. */
export function bitsOf(fields: Fields, name: string): 4 | 8 {
  const bits = fields.get(name);
  if (bits === 4 || bits === 8) return bits;
  throw unsupported(fields, name, "4 or 8");
}

/** Columns that share a scale; −1 or null: all of a row. */
export function groupOf(fields: Fields, name: string): number | undefined {
  const group = fields.get(name);
  if (group === undefined || group === null || group === -1) return undefined;
  if (
    typeof group === "number" &&
    Number.isInteger(group) &&
    group >= 8 &&
    group % 8 === 0 &&
    group <= 2 ** 20
  )
    return group;
  throw fields.wrong(name, "a multiple of 8, or -1 for a whole row", ADVICE);
}

/** Sizes that a layout of words demands. @throws CheckpointError naming the matrix */
export function multipleOf({ module }: Wanted, what: string, size: number, step: number): void {
  if (size % step === 0) return;
  throw mismatch(
    module,
    `${what} that are a multiple of ${step}, as its words hold ${step} codes`,
    show(size),
    ADVICE,
  );
}
