// What the matrix-vector kernels read as input: rows of x, or what quantize_input makes of them.
import type { Binding, Buffer, CodeOrder } from "./kernel.ts";
import {
  type InputSize,
  inputBindings,
  inputConstants,
  inputContents,
  referenceInput,
} from "./matrix-input.ts";
import { dequantized, quantizedBindings, quantizedContents } from "./quantize-input.ts";

/** `x`, and `gain` under RMSNorm; with an order of codes `codes` and `groups` of either. */
export const vectorBindings = (
  size: InputSize,
  input: "plain" | "norm",
  order: CodeOrder | undefined,
): Binding[] => (order ? quantizedBindings(size, [0, 1]) : inputBindings(size, input));

export const vectorConstants = (
  size: InputSize,
  input: "plain" | "norm",
  order: CodeOrder | undefined,
): Record<string, number> => inputConstants(size, order ? "plain" : input);

/** Test contents of these bindings. */
export const vectorContents = (
  size: InputSize,
  order: CodeOrder | undefined,
  name: string,
  random: () => number,
): Buffer | undefined => (order ? quantizedContents(size, name, order) : inputContents(size, name, random));

/** Row t of the input, from the buffers of these bindings. */
export const vectorRow = (
  size: InputSize,
  order: CodeOrder | undefined,
  t: number,
  first: Buffer,
  second?: Buffer,
): number[] => (order ? dequantized(size, t, first, second!, order) : referenceInput(size, t, first, second));
