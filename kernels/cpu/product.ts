// What the operations of matrix products share: inputs of tokens, and the products of rows of weights with
// them.
import type { Addend } from "../addend.ts";
import { GROUP, padded, scaleWords, type WeightFormatName, weightWords } from "../formats/table.ts";
import type { InputSize } from "../matrix-input.ts";
import type { Operand, Thread } from "./operation.ts";

export interface ProductCall {
  readonly format: WeightFormatName;
  /** Rows of x, rows of x under RMSNorm, or what quantize_input makes of them. */
  readonly input: "plain" | "norm" | "codes";
  readonly addend: Addend;
  /**
   * For many tokens: weights are unpacked first. Default: only where it gives the same bits, so that the
   * results of a token do not depend on how many there are.
   */
  readonly many?: boolean;
}

/** The places of the functions in the table of products.wat: formats of floats, then those of codes. */
const FORMATS = ["f32", "f16", "bf16", "q8", "q4", "q4a", "q4a64", "q4a128", "q4k", "q8_codes", "q4_codes"];

/** Rows of weights that a function computes at once. */
export const TILE_ROWS = 4;
/** Tokens whose inputs are prepared at once: all rows of weights read them. */
const BLOCK_TOKENS = 64;
/** Rows of weights whose products are in scratch at once; of far weights, the rows too. */
export const PANEL_ROWS = 32;

const PANEL_BYTES = 4 * BLOCK_TOKENS * PANEL_ROWS;
/** What products.wat works with: of a tile, and of a group. */
const WORK_BYTES = 64 + 8192;
const FACTOR_BYTES = 32;
/** From so many tokens on it takes less to unpack weights once. */
const MANY_TOKENS = 4;

export interface Product {
  /** Prepares the inputs of the tokens, some at a time: `visit` multiplies rows of weights with these. */
  eachBlock(visit: (token: number, tokens: number) => void): void;
  /**
   * Multiplies `count` ≤ PANEL_ROWS rows of weights from `row` on with the tokens of a block.
   * @param panel 0 or 1: which panel takes the results
   * @returns the index in the heap's f32 of the results, [tokens, PANEL_ROWS]
   */
  multiply(row: number, count: number, panel: 0 | 1): number;
}

/**
 * @param inputs x, x and gain, or codes and groups
 * @param weights weight, and scale if the format has scales
 */
export function prepareProduct(
  { format, input, many = false }: ProductCall,
  { T, K, eps = 1e-5 }: InputSize,
  inputs: readonly Operand[],
  weights: readonly Operand[],
  { compiled, heap, scratch }: Thread,
): Product {
  const columns = padded(K);
  const groups = columns / GROUP;
  const isCodes = input === "codes";
  const byNibble = format.startsWith("q4");
  const workBytes = WORK_BYTES + groups * FACTOR_BYTES;
  // As inputs.wat writes them.
  const inputBytes = groups * (isCodes ? 64 + 20 : 128 + 16);
  const rowBytes = [4 * weightWords(format, K), 4 * scaleWords(format, K)];
  const index = FORMATS.indexOf(isCodes ? `${format}_codes` : format);

  const panelsAt = scratch(
    2 * PANEL_BYTES + workBytes + BLOCK_TOKENS * inputBytes + PANEL_ROWS * (rowBytes[0]! + rowBytes[1]! + 32),
  );
  const workAt = panelsAt + 2 * PANEL_BYTES;
  const inputsAt = workAt + workBytes;
  const weightsAt = inputsAt + BLOCK_TOKENS * inputBytes;
  const scalesAt = weightsAt + PANEL_ROWS * rowBytes[0]!;
  const [first, second] = inputs.map(({ address }) => address!);
  let tokens = 0;
  /** Whether weights are multiplied as they are stored. */
  const isPacked = (): boolean => {
    if (format === "f32") return true;
    if (format === "q8" && !isCodes) return false;
    // With floats, unpacked nibbles round in another way.
    return byNibble && !isCodes ? !many : tokens < MANY_TOKENS;
  };

  /** The address of a row of a matrix. Far rows are copied to `to`. */
  const rowAddress = (matrix: Operand | undefined, bytes: number, row: number, count: number, to: number) => {
    if (!matrix) return 0;
    if (matrix.address !== undefined) return matrix.address + row * bytes;
    heap.u8.set(matrix.u8.subarray(row * bytes, (row + count) * bytes), to);
    return to;
  };

  const prepare = (t: number, to: number): void => {
    if (isCodes)
      compiled.prepareCodes(first! + t * columns, second! + 8 * t * groups, groups, byNibble ? 1 : 0, to);
    else compiled.prepareFloats(first! + 4 * t * columns, second ?? 0, groups, K, eps, byNibble ? 1 : 0, to);
  };

  return {
    eachBlock(visit) {
      for (let token = 0; token < T; token += BLOCK_TOKENS) {
        tokens = Math.min(BLOCK_TOKENS, T - token);
        for (let i = 0; i < tokens; i++) prepare(token + i, inputsAt + i * inputBytes);
        visit(token, tokens);
      }
    },
    multiply(row, count, panel) {
      const to = panelsAt + panel * PANEL_BYTES;
      compiled.products(
        index,
        isPacked() ? 1 : 0,
        rowAddress(weights[0], rowBytes[0]!, row, count, weightsAt),
        rowBytes[0]!,
        rowAddress(weights[1], rowBytes[1]!, row, count, scalesAt),
        rowBytes[1]!,
        count,
        inputsAt,
        inputBytes,
        tokens,
        groups,
        to,
        4 * PANEL_ROWS,
        workAt,
      );
      return to / 4;
    },
  };
}

/** `product`, entry `column` of row t, with its addend: see addend.ts. */
export function withAddend(
  addend: Addend,
  buffer: Float32Array | undefined,
  stride: number,
  t: number,
  column: number,
  product: number,
): number {
  if (!buffer) return product;
  if (addend === "bias") return product + buffer[column]!;
  const entry = 2 * (t * stride + column);
  return buffer[entry]! * product + buffer[entry + 1]!;
}

/** The operands of a product kernel: its inputs, what it has itself, its addend, and the weights. */
export function splitOperands({ input, addend }: ProductCall, operands: readonly Operand[], own: number) {
  const inputs = input === "plain" ? 1 : 2;
  const added = inputs + own;
  const weights = addend === "none" ? added : added + 1;
  return {
    inputs: operands.slice(0, inputs),
    own: operands.slice(inputs, added),
    added: addend === "none" ? undefined : operands[added]!.f32,
    weights: operands.slice(weights),
  };
}
