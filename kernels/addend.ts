// What a matrix kernel may add to its product before the fused step: RoPE, SwiGLU, the store.
import type { Binding, Buffer } from "./kernel.ts";
import source from "./snippets/addend.wgsl?raw";
import none from "./snippets/addend-none.wgsl?raw";

/** `bias`: one row for all tokens. `delta`: one row per token, as LoRA makes it. `none`: no buffer, and no arithmetic. */
export type Addend = "none" | "bias" | "delta";

export const addendSource = (addend: Addend): string => (addend === "none" ? none : source);

/** Binding slot 5, for a product stored [T, stride]. */
export const addendBindings = (addend: Addend, T: number, stride: number): Binding[] =>
  addend === "none"
    ? []
    : [{ name: "addend", slot: 5, type: "f32", length: addend === "bias" ? stride : T * stride }];

export const addendConstants = (addend: Addend, stride: number): Record<string, number> =>
  addend === "none" ? {} : { ADDEND_STRIDE: addend === "bias" ? 0 : stride };

/** For references: what is added to entry t * stride + column of the product. A bias is the same for every t. */
export const addendAt = (addend: Buffer | undefined, entry: number): number =>
  addend ? addend[entry % addend.length]! : 0;
