// How a quantised matrix is stored in safetensors, whatever program wrote it.
import { pairedFormats, type WeightFormatName } from "../../../kernels/formats/table.ts";

/** A tensor of a file: its name, and what it must be. */
export interface Part {
  readonly name: string;
  readonly dtypes: readonly string[];
  readonly shape: readonly number[];
}

/**
 * In which order codes are stored:
 * - `rows`: row by row, those of a row one after the other.
 * - `columns`: words [K·bits/32, N], each of consecutive codes of one row (GPTQ).
 * - `column_octets`: words [K, N/8], each of a code of eight rows (AWQ).
 */
export type CodeOrder = "rows" | "columns" | "column_octets";

/** Reads a tensor of floats: the value at a flat index. */
export type Floats = (index: number) => number;

/** What is subtracted from a code before it is scaled. */
export interface Zeros {
  readonly part: Part;
  /** The zero of group `g` of row `n`, from the tensor's words. */
  at(words: Uint32Array, n: number, g: number): number;
}

/**
 * A matrix [N, K] in codes of `bits`, from the least significant bits of a byte or word to the most
 * significant. A weight is (code − zero) · scale, or code · scale + offset.
 */
export interface StoredMatrix {
  /** Name of the matrix among the tensors of the graph. */
  readonly name: string;
  readonly N: number;
  readonly K: number;
  readonly bits: 4 | 8;
  readonly codes: Part;
  readonly order: CodeOrder;
  /** What a code stands for: itself, its bits as a signed byte plus 128, or an FP8 number. */
  readonly meaning: "unsigned" | "signed" | "e4m3";
  /** Columns that share a scale. */
  readonly group: number;
  readonly scales: Part;
  /** The flat index in `scales` (and `offsets`) of group `g` of row `n`. */
  scaleAt(n: number, g: number): number;
  /** One for all, or a tensor. */
  readonly zeros: number | Zeros;
  /** The zero that config and codes promise for all groups, although there is a tensor of zeros. */
  readonly symmetric?: number | undefined;
  /** Floats in the order of `scales`, in place of zeros. */
  readonly offsets?: Part | undefined;
  /** The group of each column. Default: columns in order. */
  readonly groupIndex?: Part | undefined;
  /** A bias that the model does not have: its numbers must be zeros. */
  readonly bias?: Part | undefined;
}

/** All tensors of a matrix. */
export const partsOf = ({ codes, scales, zeros, offsets, groupIndex, bias }: StoredMatrix): Part[] =>
  [codes, scales, typeof zeros === "number" ? undefined : zeros.part, offsets, groupIndex, bias].filter(
    (part) => part !== undefined,
  );

export const groupsOf = ({ K, group }: Pick<StoredMatrix, "K" | "group">): number => Math.ceil(K / group);

/**
 * The format on the GPU whose buffers hold the codes as they are, with their scales; undefined if there is
 * none: then weights are decoded to f32, and kept in q8.
 * @param ordered whether the columns of a group are side by side when they are read
 */
export function losslessFormat(matrix: StoredMatrix, ordered: boolean): WeightFormatName | undefined {
  const { bits, meaning, zeros, symmetric, offsets } = matrix;
  const shared = sharedColumns(matrix);
  if (!ordered || meaning === "e4m3" || shared === undefined) return undefined;
  const zero = typeof zeros === "number" ? zeros : symmetric;
  if (zero === 2 ** (bits - 1) && !offsets) return bits === 4 ? "q4" : "q8";
  return bits === 4 ? pairedFormats[shared] : undefined;
}

/** How many columns share a scale: the most of 128, 64 and 32; undefined: fewer. */
function sharedColumns(matrix: StoredMatrix): keyof typeof pairedFormats | undefined {
  const fitting = ([128, 64, 32] as const).find((columns) => matrix.group % columns === 0);
  return fitting ?? (groupsOf(matrix) === 1 ? 128 : undefined);
}
