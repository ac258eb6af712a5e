// Random numbers and buffers with a seed.
import type { Binding, Buffer } from "../kernels/index.ts";

/** mulberry32: uniform u32. */
export function randomU32(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** Contents for a binding: f32 in [-1, 1), u32 over its whole range. */
export function randomBuffer({ type, length }: Binding, seed: number): Buffer {
  const next = randomU32(seed);
  return type === "u32"
    ? Uint32Array.from({ length }, next)
    : Float32Array.from({ length }, () => next() / 2 ** 31 - 1);
}
