// Scales, zeros and offsets of a stored matrix, as numbers.
import { bf16ToNumber, bitsToF32, f16ToNumber } from "../../../kernels/formats/half.ts";
import { mismatch } from "../../errors.ts";
import type { HeaderTensor } from "../header.ts";
import { wordsOf } from "./codes.ts";
import { type Floats, groupsOf, type Part, type StoredMatrix } from "./stored-matrix.ts";

export const DAMAGED = "The file is damaged, or another program wrote it wrong: choose another checkpoint.";

/** A tensor of floats as a function of the flat index. */
function floatsOf(bytes: Uint8Array<ArrayBuffer>, dtype: string): Floats {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (dtype === "F32") return (i) => bitsToF32(view.getUint32(4 * i, true));
  const toNumber = dtype === "F16" ? f16ToNumber : bf16ToNumber;
  return (i) => toNumber(view.getUint16(2 * i, true));
}

/** Reads a part of a matrix. */
export type ReadPart = (part: Part) => Promise<{ tensor: HeaderTensor; bytes: Uint8Array<ArrayBuffer> }>;

/** The numbers of the groups of a matrix: a weight is code · a + b. */
export interface Groups {
  /** @throws CheckpointError if it is not finite */
  a(n: number, g: number): number;
  b(n: number, g: number): number;
  /** The group of each column; undefined: in order. */
  readonly index: Uint32Array | undefined;
}

/**
 * Reads and checks what belongs to the codes of a matrix.
 * @throws CheckpointError naming the tensor: zeros that are not what config.json says, a bias that is not 0
 */
export async function readGroups(matrix: StoredMatrix, read: ReadPart): Promise<Groups> {
  const { zeros, offsets, groupIndex, bias } = matrix;
  const [scale, zero, offset, index] = await Promise.all([
    read(matrix.scales),
    typeof zeros === "number" ? undefined : read(zeros.part),
    offsets && read(offsets),
    groupIndex && readGroupIndex(matrix, groupIndex, read),
    bias && checkBias(bias, read),
  ]);
  const scales = finite(scale.tensor, floatsOf(scale.bytes, scale.tensor.dtype));
  const at = (n: number, g: number) => matrix.scaleAt(n, g);
  const a: Groups["a"] = (n, g) => scales(at(n, g));
  if (offset) {
    const values = finite(offset.tensor, floatsOf(offset.bytes, offset.tensor.dtype));
    return { a, b: (n, g) => values(at(n, g)), index };
  }
  if (typeof zeros === "number") return { a, b: (n, g) => -zeros * a(n, g), index };
  const words = wordsOf((zero as NonNullable<typeof zero>).bytes);
  checkSymmetric(matrix, words, (zero as NonNullable<typeof zero>).tensor);
  return { a, b: (n, g) => -zeros.at(words, n, g) * a(n, g), index };
}

const finite =
  ({ file, name }: HeaderTensor, values: Floats): Floats =>
  (i) => {
    const value = values(i);
    if (Number.isFinite(value)) return value;
    throw mismatch(`${file}: ${name}`, "finite numbers", `${value} at ${i}`, DAMAGED);
  };

function checkSymmetric(matrix: StoredMatrix, words: Uint32Array, { file, name }: HeaderTensor): void {
  const { zeros, symmetric, N } = matrix;
  if (symmetric === undefined || typeof zeros === "number") return;
  for (let n = 0; n < N; n++) {
    for (let g = 0; g < groupsOf(matrix); g++) {
      const zero = zeros.at(words, n, g);
      if (zero === symmetric) continue;
      const expected = `a zero of ${symmetric} in all groups, as the configuration says that they are symmetric`;
      throw mismatch(`${file}: ${name}`, expected, `${zero} in row ${n}, group ${g}`, DAMAGED);
    }
  }
}

/** @returns undefined if the columns of each group are side by side */
export async function readGroupIndex(
  matrix: StoredMatrix,
  part: Part,
  read: ReadPart,
): Promise<Uint32Array | undefined> {
  const { tensor, bytes } = await read(part);
  const index = wordsOf(bytes);
  const wrong = index.findIndex((group) => group >= groupsOf(matrix));
  if (wrong >= 0) {
    const expected = `groups below ${groupsOf(matrix)}`;
    throw mismatch(`${tensor.file}: ${tensor.name}`, expected, `${index[wrong]} at ${wrong}`, DAMAGED);
  }
  return index.every((group, k) => group === Math.floor(k / matrix.group)) ? undefined : index;
}

async function checkBias(part: Part, read: ReadPart): Promise<void> {
  const { tensor, bytes } = await read(part);
  const values = floatsOf(bytes, tensor.dtype);
  const n = Array.from({ length: part.shape[0] ?? 0 }, (_, i) => i).find((i) => values(i) !== 0);
  if (n === undefined) return;
  const advice = "Sirocco does not run biases; choose another checkpoint.";
  throw mismatch(`${tensor.file}: ${tensor.name}`, "no bias, or zeros", `${values(n)} at ${n}`, advice);
}
