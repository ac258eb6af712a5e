// What the compiled modules export, by file. Addresses are of heap 0 in bytes.

export interface Compiled extends Inputs {}

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
}

/** The functions of all modules, over a memory. */
export const instantiate = (modules: readonly WebAssembly.Module[], memory: WebAssembly.Memory): Compiled =>
  Object.assign(
    {},
    ...modules.map((module) => new WebAssembly.Instance(module, { env: { memory } }).exports),
  );
