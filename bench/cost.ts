// What a list of dispatches costs: bytes moved and arithmetic.
import type { Dispatch } from "../engine/gpu/dispatch.ts";
import { ringLength } from "../engine/graph/activations.ts";
import type { Shape } from "../engine/graph/shape.ts";
import { type Weights, weightBuffers } from "../engine/graph/weights.ts";
import type { Kernel } from "../kernels/index.ts";

/** Weight formats bind their buffers from this slot on. */
const FIRST_WEIGHT_SLOT = 6;

/**
 * Bytes between the GPU and its memory. Every byte that a dispatch needs counts once; keys and values count
 * once for each workgroup that reads them. Activations that workgroups share fit the GPU's caches.
 */
export interface Traffic {
  /** Matrices. */
  readonly weights: number;
  /** Keys and values, read and written. */
  readonly cache: number;
  /** Activations, gains, angles. */
  readonly rest: number;
  readonly total: number;
}

/**
 * Bytes and operations of dispatches with the last row at `position`.
 * @param T rows of the pass, if it has fewer than the dispatches were prepared for
 */
export function costOf(
  dispatches: readonly Pick<Dispatch, "kernel" | "size">[],
  position: number,
  T?: number,
): { readonly traffic: Traffic; readonly flops: number } {
  const bytes = { weights: 0, cache: 0, rest: 0 };
  let flops = 0;
  for (const { kernel, size: prepared } of dispatches) {
    const size = T === undefined ? prepared : { ...prepared, T };
    const cost = kernel.cost?.(size, position) ?? {};
    flops += cost.flops ?? 0;
    for (const { name, slot, length } of kernel.bindings(size)) {
      const part = name === "cache" ? "cache" : (slot ?? 0) >= FIRST_WEIGHT_SLOT ? "weights" : "rest";
      bytes[part] += 4 * length * (cost.passes?.[name] ?? 1);
    }
  }
  return { traffic: { ...bytes, total: bytes.weights + bytes.cache + bytes.rest }, flops };
}

/**
 * The fewest bytes that a decoded token at `position` can need: every weight but the embedding's once (of
 * that one row is read, which counts as nothing), and the keys and values that the token sees once.
 */
export function idealBytes(weights: Weights, shape: Shape, position: number): number {
  const read = weightBuffers({ ...weights, embedTokens: [] });
  const weightBytes = read.reduce((sum, { size }) => sum + size, 0);
  const slotBytes = (4 * ringLength(shape)) / shape.S;
  return weightBytes + shape.L * slotBytes * Math.min(position + 1, shape.W);
}

/** Groups dispatches that do the same work on other buffers: the layers of a model. */
export function groups(
  dispatches: readonly Dispatch[],
): { readonly label: string; readonly kernel: Kernel; readonly size: object; readonly indices: number[] }[] {
  const found = new Map<string, ReturnType<typeof groups>[number]>();
  dispatches.forEach(({ label, kernel, size }, i) => {
    const key = `${label} ${JSON.stringify(size)}`;
    const group = found.get(key) ?? { label, kernel, size, indices: [] };
    group.indices.push(i);
    found.set(key, group);
  });
  return [...found.values()];
}
