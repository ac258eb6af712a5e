// The addend of a matrix kernel: added to the product before the fused step (RoPE, SwiGLU, the store).
import { architectureShader } from "./architecture-shader.ts";
import type { Binding, Buffer, ShaderFile } from "./kernel.ts";
import none from "./snippets/addend-none.wgsl?raw";

/**
 * `bias`: one row for all tokens. `delta`: for each token a row of pairs (gain, delta), as LoRA and DoRA
 * need; the product becomes gain · product + delta. `none`: no buffer, no arithmetic.
 */
export type Addend = "none" | "bias" | "delta";

export const addendSource = (addend: Addend): ShaderFile =>
  ({ none, bias: architectureShader("addendBias"), delta: architectureShader("addendDelta") })[addend];

/** Words of the addend of a product of stored shape [T, stride]. */
const addendLength = (addend: Addend, T: number, stride: number): number =>
  ({ none: 0, bias: stride, delta: 2 * T * stride })[addend];

/** The binding at slot 5, for a product of stored shape [T, stride]. */
export const addendBindings = (addend: Addend, T: number, stride: number): Binding[] =>
  addend === "none"
    ? []
    : [{ name: "addend", slot: 5, type: "f32", length: addendLength(addend, T, stride) }];

export const addendConstants = (addend: Addend, stride: number): Record<string, number> =>
  addend === "delta" ? { ADDEND_STRIDE: stride } : {};

/** For references: an entry of the product, row t · stride + column, with its addend. */
export function withAddend(
  addend: Addend,
  buffer: Buffer | undefined,
  { entry, stride, product }: { readonly entry: number; readonly stride: number; readonly product: number },
): number {
  if (!buffer) return product;
  if (addend === "bias") return product + buffer[entry % stride]!;
  return buffer[2 * entry]! * product + buffer[2 * entry + 1]!;
}
