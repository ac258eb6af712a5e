// What the compiled modules export, by file. Addresses are of heap 0 in bytes.

export interface Compiled
  extends Attention,
    Codes,
    Exp,
    Inputs,
    Lora,
    MultiplyAdd,
    Products,
    Quantise,
    Ring,
    Sample {}

/** attention.wat */
interface Attention {
  /** @param groups of eight positions, the first of the block */
  scoreBlock(
    queries: number,
    keys: number,
    scores: number,
    rows: number,
    groups: number,
    vectors: number,
  ): void;
  addBlock(
    weights: number,
    values: number,
    sums: number,
    rows: number,
    groups: number,
    vectors: number,
  ): void;
}

/** codes.wat */
interface Codes {
  /** Bytes of a code of an input of q4. Those of q8 are 2. */
  readonly nibbleCodeBytes: WebAssembly.Global;
  /**
   * Codes of a row: for each four groups, 128 codes and 32 bytes.
   * @param byNibble 1 for q4, 0 for q8
   */
  prepareCodes(codes: number, scales: number, groups: number, byNibble: number, out: number): void;
  /** Adds to what is at `out`. `kind` is 1 for q4, 0 for q8; `length` counts quads: rows have whole ones. */
  codeProducts(...rows: RowArguments): void;
}

/** The products of rows of weights and T inputs, [T, rows]. */
type RowArguments = [
  kind: number,
  weights: number,
  weightBytes: number,
  scales: number,
  scaleBytes: number,
  rows: number,
  inputs: number,
  inputBytes: number,
  T: number,
  length: number,
  out: number,
  outBytes: number,
];

/** exp.wat */
interface Exp {
  /**
   * @param fours of scores in use, of a row
   * @param vectors vec4f of a row of sums
   * @param heads rows of a token
   * @param first position of the block that the first token sees first; each next token sees one later
   */
  softenBlock(
    scores: number,
    fours: number,
    state: number,
    sums: number,
    vectors: number,
    rows: number,
    heads: number,
    first: number,
    end: number,
  ): void;
  swiglu(gate: number, up: number, hidden: number, fours: number): void;
}

/** inputs.wat */
interface Inputs {
  /**
   * The codes of a row of `groups` · 32 floats, and the scale and sum of each group, as quantize_input gives
   * them.
   * @param gain address of the factors of RMSNorm, or 0
   * @param K columns that are no padding
   * @param evenOdd 1 if the order of the codes is even_odd
   */
  quantizeRow(
    x: number,
    gain: number,
    groups: number,
    K: number,
    eps: number,
    evenOdd: number,
    codes: number,
    scales: number,
  ): void;
  /** Floats of a row, 144 bytes a group. @param byNibble 1 for formats of nibbles */
  prepareFloats(
    x: number,
    gain: number,
    groups: number,
    K: number,
    eps: number,
    byNibble: number,
    out: number,
  ): void;
}

/** lora.wat */
interface Lora {
  /** out[i] = factor · rows[i] · x. @param vectors vec4f of a row, and of x */
  floatProducts(rows: number, count: number, vectors: number, x: number, factor: number, out: number): void;
  /** x += the sum of factors[i] · rows[i]. @param vectors vec4f of a row, and of x, a multiple of 4 */
  addRows(rows: number, count: number, vectors: number, factors: number, x: number): void;
}

/** products.wat */
interface Products {
  /**
   * `kind` is the format's place in the table of products.wat; `length` counts groups; rows of `out` are
   * padded to whole tiles.
   * @param rows `isPacked`: 1 to multiply weights as they are stored, 0 to unpack them first; `work`: 8256
   * bytes, and 32 a group, of whole eights
   */
  products(...rows: [...rows: RowArguments, isPacked: number, work: number]): void;
  /**
   * Stores a row as floats, in the order of its columns. `kind` is as in `products`.
   * @param byNibble 1 for formats of nibbles
   * @param work 32 bytes a group, of whole eights
   */
  unpackRow(
    kind: number,
    byNibble: number,
    weights: number,
    scales: number,
    groups: number,
    work: number,
    to: number,
  ): void;
}

/** multiply-add.wat */
interface MultiplyAdd {
  /** @param second bytes from the first four vectors to the next; `third`: to the ones after */
  multiplyAdd(x: number, y: number, second: number, third: number, rounds: number): void;
}

/** quantise.wat */
interface Quantise {
  /**
   * Quantises a row of `groups` · 32 f32 bit patterns under a scale each: q8 for 128 codes on a side, q4
   * for 8. The scales max |x| · steps / d are tried, d = first … last.
   * @param work 512 bytes
   */
  quantiseScaled(
    bits: number,
    groups: number,
    codes: number,
    first: number,
    last: number,
    steps: number,
    work: number,
    weight: number,
    scale: number,
  ): void;
  /**
   * Quantises a row of `columns` f32 bit patterns, and its padding, under pairs for each `group`: q4a.
   * @param work 1536 bytes
   */
  quantisePairs(
    bits: number,
    columns: number,
    group: number,
    work: number,
    weight: number,
    scale: number,
  ): void;
  /**
   * Quantises a row of `columns` f32 bit patterns, and its padding, under scales and minima of six bits: q4k.
   * @param work 1600 bytes
   */
  quantiseSuper(bits: number, columns: number, work: number, weight: number, scale: number): void;
}

/** ring.wat */
interface Ring {
  readonly readF32: ReadRows;
  readonly readF16: ReadRows;
  readonly readQ8: ReadRows;
}

/**
 * Reads positions [first, end) of a block from consecutive rows of a ring.
 * @param vectors vec4f of a row
 */
type ReadRows = (
  row: number,
  rowBytes: number,
  block: number,
  first: number,
  end: number,
  vectors: number,
) => void;

/** sample.wat. Rows have `count` entries, a multiple of 16. */
interface Sample {
  /** `finite` of kernels/sampling.ts, in place. */
  finiteRow(x: number, count: number): void;
  largest(x: number, count: number): number;
  /** Distances from the likeliest token; 2^31 - 1 from 64 octaves on. */
  distances(x: number, count: number, best: number, scale: number, far: number): void;
  /** The masses of the tokens within `limit`; 0 for the others. Returns their sum. */
  masses(far: number, count: number, limit: number, mass: number): number;
  /** Copies distance and weight of the tokens within `bound`. Returns how many these are. */
  near(
    far: number,
    count: number,
    weight: number,
    bound: number,
    nearFar: number,
    nearWeight: number,
  ): number;
  /**
   * The token that is drawn of those within `limit`, of which there is one at least.
   * @param work 64 bytes
   */
  race(
    far: number,
    count: number,
    limit: number,
    position: number,
    seedLow: number,
    seedHigh: number,
    work: number,
  ): number;
}

/** The functions of all modules, over a memory. */
export const instantiate = (modules: readonly WebAssembly.Module[], memory: WebAssembly.Memory): Compiled =>
  Object.assign(
    {},
    ...modules.map((module) => new WebAssembly.Instance(module, { env: { memory } }).exports),
  );
