// What the operations of matrix products share: inputs of tokens, and the products of rows of weights with
// them.
import type { Addend } from "../addend.ts";
import { GROUP, padded, scaleWords, type WeightFormatName, weightWords } from "../formats/table.ts";
import type { InputSize } from "../matrix-input.ts";
import type { Compiled } from "./compiled.ts";
import { nearAddress, type Operand, PAST_END, type Thread } from "./operation.ts";
import { factorBytes, isByNibble, kindOf, placeScales } from "./rows.ts";

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

/** Rows of weights that a function computes at once. */
export const TILE_ROWS = 4;
/** Tokens whose inputs are prepared at once: all rows of weights read them. */
const BLOCK_TOKENS = 64;
/** Rows of weights whose products with a block are in scratch at once, or whose scales are. */
const PANEL_ROWS = 32;
/** The same for few tokens: so there are fewer calls. */
const MOST_PANEL_ROWS = 256;

const PANEL_BYTES = 4 * BLOCK_TOKENS * PANEL_ROWS;
/** What products.wat works with, for a tile. */
const TILE_BYTES = 64 + 8192;
/** From so many tokens on it takes less to unpack weights once. */
const MANY_TOKENS = 4;

/** Some tokens whose inputs are prepared. */
export interface TokenBlock {
  /** The first. */
  readonly token: number;
  readonly tokens: number;
  /** Rows of weights that a panel has room for, a multiple of TILE_ROWS. */
  readonly panelRows: number;
}

export interface Product {
  /** Prepares the inputs of the tokens, some at a time: `visit` multiplies rows of weights with these. */
  eachBlock(visit: (block: TokenBlock) => void): void;
  /**
   * Multiplies `count` ≤ `panelRows` rows of weights from `row` on with the tokens of the block.
   * @param panel 0 or 1: which panel takes the results
   * @returns the index in the heap's f32 of the results, [tokens, panelRows]
   */
  multiply(row: number, count: number, panel: 0 | 1): number;
  /**
   * Adds the products of any number of rows to f32 at an address, [tokens, strideBytes]. undefined if that
   * takes a panel.
   */
  readonly addTo: ((row: number, count: number, to: number, strideBytes: number) => void) | undefined;
}

/** How a compiled function multiplies rows of weights and inputs. */
interface RowProducts {
  readonly name: "products" | "codeProducts";
  /** Its first argument. */
  readonly kind: number;
  /** Of an input, as `prepare` writes it. */
  readonly inputBytes: number;
  /** Of scratch. */
  readonly workBytes: number;
  /** Of a row, in what the function counts. */
  readonly length: number;
  /** Whether results are added to what is there. */
  readonly addsUp: boolean;
  prepare(token: number, to: number): void;
  /** Whether weights are multiplied as they are stored. */
  isPacked(tokens: number): boolean;
}

/**
 * Products are computed in the heap of the weights. If that is not the first one, prepared inputs are copied
 * there, and results back.
 * @param inputs x, x and gain, or codes and groups
 * @param weights weight, and scale if the format has scales
 */
export function prepareProduct(
  call: ProductCall,
  size: InputSize,
  inputs: readonly Operand[],
  weights: readonly Operand[],
  near: Thread,
): Product {
  const { format } = call;
  const { T, K } = size;
  const { home } = weights[0]!;
  const addresses = inputs.map(nearAddress);
  const { name, kind, inputBytes, workBytes, length, addsUp, prepare, isPacked } =
    call.input === "codes"
      ? productsOfCodes(format, K, addresses, near.compiled)
      : productsOfFloats(call, size, addresses, near.compiled);
  const products: Compiled["products"] = home.compiled[name];

  const weightBytes = 4 * weightWords(format, K);
  const scaleBytes = 4 * scaleWords(format, K);
  /** Otherwise `placeScales` copies to scratch. */
  const isInPlace = weights.every((matrix) => matrix.home === home);

  const scratchBytes =
    2 * PANEL_BYTES + workBytes + BLOCK_TOKENS * inputBytes + PANEL_ROWS * scaleBytes + PAST_END;
  const panelsAt = home.scratch(scratchBytes);
  const nearAt = near.scratch(scratchBytes);
  const workAt = panelsAt + 2 * PANEL_BYTES;
  const inputsAt = workAt + workBytes;
  const scalesAt = inputsAt + BLOCK_TOKENS * inputBytes;
  let block: TokenBlock;

  const multiplyTo = (row: number, count: number, out: number, outBytes: number): void =>
    products(
      kind,
      weights[0]!.address + row * weightBytes,
      weightBytes,
      placeScales(weights[1], home, scaleBytes, row, count, scalesAt),
      scaleBytes,
      count,
      inputsAt,
      inputBytes,
      block.tokens,
      length,
      out,
      outBytes,
      isPacked(block.tokens) ? 1 : 0,
      workAt,
    );

  return {
    eachBlock(visit) {
      for (let token = 0; token < T; token += BLOCK_TOKENS) {
        const tokens = Math.min(BLOCK_TOKENS, T - token);
        const room = Math.floor((PANEL_ROWS * BLOCK_TOKENS) / tokens / TILE_ROWS) * TILE_ROWS;
        block = { token, tokens, panelRows: isInPlace ? Math.min(room, MOST_PANEL_ROWS) : PANEL_ROWS };
        const to = nearAt + inputsAt - panelsAt;
        for (let i = 0; i < tokens; i++) prepare(token + i, to + i * inputBytes);
        copyBytes(near, to, home, inputsAt, tokens * inputBytes);
        visit(block);
      }
    },
    multiply(row, count, panel) {
      const at = panel * PANEL_BYTES;
      const bytes = 4 * block.tokens * block.panelRows;
      if (addsUp) home.heap.u8.fill(0, panelsAt + at, panelsAt + at + bytes);
      multiplyTo(row, count, panelsAt + at, 4 * block.panelRows);
      copyBytes(home, panelsAt + at, near, nearAt + at, bytes);
      return (nearAt + at) / 4;
    },
    addTo: addsUp && isInPlace && home === near ? multiplyTo : undefined,
  };
}

/** Copies between heaps; nothing, if these are the same. */
function copyBytes(from: Thread, at: number, to: Thread, toAt: number, bytes: number): void {
  if (from !== to) to.heap.u8.set(from.heap.u8.subarray(at, at + bytes), toAt);
}

/** q8 and q4 with what quantize_input makes of inputs: codes.wat. */
function productsOfCodes(
  format: WeightFormatName,
  K: number,
  [codes, scales]: readonly number[],
  compiled: Compiled,
): RowProducts {
  const columns = padded(K);
  const groups = columns / GROUP;
  const quads = Math.ceil(groups / 4);
  const byNibble = format === "q4" ? 1 : 0;
  const codeBytes = byNibble ? compiled.nibbleCodeBytes.value : 2;
  return {
    name: "codeProducts",
    kind: byNibble,
    inputBytes: quads * (128 * codeBytes + 32),
    workBytes: 0,
    length: quads,
    addsUp: true,
    prepare: (token, to) =>
      compiled.prepareCodes(codes! + token * columns, scales! + 8 * token * groups, groups, byNibble, to),
    isPacked: () => true,
  };
}

/** All formats with inputs of floats: products.wat. */
function productsOfFloats(
  { format, many = false }: ProductCall,
  { K, eps = 1e-5 }: InputSize,
  [x, gain]: readonly number[],
  compiled: Compiled,
): RowProducts {
  const columns = padded(K);
  const groups = columns / GROUP;
  const byNibble = isByNibble(format);
  return {
    name: "products",
    kind: kindOf(format),
    inputBytes: groups * (128 + 16),
    workBytes: TILE_BYTES + factorBytes(groups),
    length: groups,
    addsUp: false,
    prepare: (token, to) =>
      compiled.prepareFloats(x! + 4 * token * columns, gain ?? 0, groups, K, eps, byNibble, to),
    isPacked(tokens) {
      if (format === "f32") return true;
      if (format === "q8") return false;
      // Unpacked nibbles round in another way.
      return byNibble ? !many : tokens < MANY_TOKENS;
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
