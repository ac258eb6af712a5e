// The addend of a matrix kernel: added to the product before the fused step (RoPE, SwiGLU, the store).
import { architectureShader } from "./architecture-shader.ts";
import type { Binding, Buffer, ShaderFile } from "./kernel.ts";
import none from "./snippets/addend-none.wgsl?raw";

/**
 * `bias`: one row for all tokens. `delta`: one row per token, as LoRA computes it. `none`: no buffer, no
 * arithmetic.
 */
export type Addend = "none" | "bias" | "delta";

export const addendSource = (addend: Addend): ShaderFile =>
  addend === "none" ? none : architectureShader("addend");

/** The binding at slot 5, for a product of stored shape [T, stride]. */
export const addendBindings = (addend: Addend, T: number, stride: number): Binding[] =>
  addend === "none"
    ? []
    : [{ name: "addend", slot: 5, type: "f32", length: addend === "bias" ? stride : T * stride }];

export const addendConstants = (addend: Addend, stride: number): Record<string, number> =>
  addend === "none" ? {} : { ADDEND_STRIDE: addend === "bias" ? 0 : stride };

/** For references: the addend of entry t * stride + column of the product. A bias repeats for every t. */
export const addendAt = (addend: Buffer | undefined, entry: number): number =>
  addend ? addend[entry % addend.length]! : 0;
