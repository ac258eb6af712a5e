// The launches of a matrix: one for each of its parts, and those that prepare its input.
import {
  type Addend,
  type CodeOrder,
  gather,
  type Kernel,
  type MatmulVariant,
  type MatvecSize,
  type MatvecVariant,
  matmul,
  matmulVariants,
  matvecVariants,
  quantizeInput,
  suits,
  type WeightFormat,
} from "../../kernels/index.ts";
import { type Launch, launch } from "../gpu/dispatch.ts";
import type { DecodeState } from "./activations.ts";
import type { Input } from "./adapted.ts";
import type { Matrix, MatrixPart } from "./weights.ts";

/** Tokens of a decode step that share each read of a weight. */
export type TokensPerBlock = 1 | 2 | 4 | 8;

/** Parts in a format that a variant does not suit use one that suits all. */
export const manyTokens = (variant: MatmulVariant, addend?: Addend) => (format: WeightFormat) =>
  matmul(format, suits(matmulVariants[variant], format) ? variant : "tile", addend);
export const fewTokens = (variant: MatvecVariant, format: WeightFormat): MatvecVariant =>
  suits(matvecVariants[variant], format) ? variant : "stream";

/** What inputs of matrices are made into: by gather, and `codes` and `groups` by quantize_input. */
type Made = Pick<DecodeState, "codes" | "groups" | "gathered" | "gatheredGain">;

/**
 * A matrix with T rows of an input: a launch for each part, by the kernel for the part's format. Before it,
 * the input is put in the order of the part's columns, if that is another, and quantised for kernels that
 * multiply bytes: each once for all neighbours that read it so.
 * @param buffers the kernel's own, between its input and the weights
 */
export function launches<Size extends { T: number; K: number; eps?: number }>(
  matrix: Matrix,
  kernel: (format: WeightFormat) => Kernel<Size>,
  sizeOf: (part: MatrixPart) => Size,
  { codes, groups, gathered, gatheredGain }: Made,
  input: Input,
  ...buffers: readonly GPUBuffer[]
): Launch[] {
  const given = input.filter((buffer) => buffer !== undefined);
  const kind = given.length === 1 ? "plain" : "norm";
  const sorted = [gathered!, gatheredGain!].slice(0, given.length);
  let read = given;
  let columns: GPUBuffer | undefined;
  let quantizedAs: CodeOrder | undefined;
  return matrix.flatMap((part) => {
    const multiply = kernel(part.format);
    const size = sizeOf(part);
    const before: Launch[] = [];
    if (part.columns !== columns) {
      columns = part.columns;
      quantizedAs = undefined;
      read = columns ? sorted : given;
      if (columns) before.push(launch(gather(kind), size, ...given, columns, ...sorted));
    }
    const order = multiply.quantizedInput;
    if (!order) return [...before, launch(multiply, size, ...read, ...buffers, ...part.buffers)];
    if (order !== quantizedAs) before.push(launch(quantizeInput(order, kind), size, ...read, codes, groups));
    quantizedAs = order;
    return [...before, launch(multiply, size, codes, groups, ...buffers, ...part.buffers)];
  });
}

/**
 * A plain product.
 * @param add whether the result is added to the output
 * @param outputs y, and the bias if the kernel has one
 */
export const product =
  (
    kernel: (format: WeightFormat) => Kernel<MatvecSize>,
    T: number,
    made: Made,
    tokensPerBlock?: TokensPerBlock,
  ) =>
  (
    matrix: Matrix,
    size: { K: number; width: number; add?: boolean; eps?: number },
    input: Input,
    ...outputs: readonly GPUBuffer[]
  ): Launch[] => {
    const block = tokensPerBlock && { tokensPerBlock };
    const sizeOf = ({ first, count, rows }: MatrixPart) => ({
      T,
      ...block,
      N: rows,
      N0: (first * rows) / count,
      ...size,
    });
    return launches(matrix, kernel, sizeOf, made, input, ...outputs);
  };
