// How LoRA adapters take part in the lists of forward.ts. adapter-pass.ts has the launches.
import type { Addend } from "../../kernels/index.ts";
import type { Launch } from "../gpu/dispatch.ts";
import type { LayerMatrix } from "./model-tensors.ts";

/** A matrix that adapters may change. */
export type AdaptedRole = LayerMatrix | "lmHead" | "embedTokens";

/** The input of a matrix: x, and the gain of RMSNorm if it is normed. */
export type Input = readonly [x: GPUBuffer, gain?: GPUBuffer];

/** The adapters of a pass of T tokens. A matrix that no adapter has needs no launch. */
export interface AdapterPass {
  /** What is added to the product of a layer's matrix: see the addend `delta` of matrix kernels. */
  addend(
    role: AdaptedRole,
    layer: number,
    T: number,
    input: Input,
    bias?: GPUBuffer,
  ): { readonly before: readonly Launch[]; readonly addend: GPUBuffer } | undefined;
  /** Changes the finished product of a matrix, which must be new: nothing was added to it. */
  change(
    role: AdaptedRole,
    layer: number | undefined,
    T: number,
    input: Input,
    y: GPUBuffer,
  ): readonly Launch[];
  /** Changes the rows of the embedding in x. */
  embed(T: number, x: GPUBuffer): readonly Launch[];
}

/** What a matrix kernel adds to its product: what adapters make, which has the bias in it, or the bias. */
export const addition =
  (adapters: AdapterPass | undefined, T: number) =>
  (
    role: AdaptedRole,
    layer: number,
    input: Input,
    bias?: GPUBuffer,
  ): { before: readonly Launch[]; addend: Addend; buffers: readonly GPUBuffer[] } => {
    const adapted = adapters?.addend(role, layer, T, input, bias);
    if (adapted) return { before: adapted.before, addend: "delta", buffers: [adapted.addend] };
    return { before: [], addend: bias ? "bias" : "none", buffers: bias ? [bias] : [] };
  };
