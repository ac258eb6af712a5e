import { architectureShader } from "./architecture-shader.ts";
import type { Kernel } from "./kernel.ts";
import { qkvStride } from "./ring.ts";
import {
  anglePasses,
  type RopeSize,
  ropeBindings,
  ropeConstants,
  ropeContents,
  turnedPair,
  turnOf,
} from "./rope.ts";
import rope from "./snippets/rope.wgsl?raw";
import sum from "./snippets/sum.wgsl?raw";

export interface QkNormSize extends RopeSize {
  eps: number;
}

/** After the product: normalises each head of queries and keys in place, and rotates it. */
export const qkNorm: Kernel<QkNormSize> = {
  name: "qk_norm",
  source: [architectureShader("qkNorm"), rope, sum],
  testSizes: [
    { T: 1, H: 1, G: 1, d: 2, eps: 1e-5 },
    { T: 5, H: 6, G: 2, d: 6, eps: 1e-2 },
    { T: 17, H: 3, G: 1, d: 80, eps: 1e-5 },
  ],
  cpu: { op: "qk_norm" },
  bindings: (size) => [
    { name: "qkv", slot: 0, type: "f32", length: size.T * qkvStride(size), writes: true },
    { name: "gain", slot: 1, type: "f32", length: 2 * size.d },
    ...ropeBindings(size),
  ],
  constants: (size) => ({ ...ropeConstants(size), NORM_EPS: size.eps }),
  workgroups: ({ H, G, T }) => [H + G, T],
  cost: (size) => ({
    passes: { angles: anglePasses(size), qkv: (2 * (size.H + size.G)) / (size.H + 2 * size.G) },
  }),
  fill: (size, name) => ropeContents(size, name, 0),
  reference(size, qkv, gain, rows, angles) {
    const { T, H, G, d, eps } = size;
    for (let t = 0; t < T; t++) {
      for (let head = 0; head < H + G; head++) {
        const at = t * qkvStride(size) + head * d;
        let squares = 0;
        for (let i = 0; i < d; i++) squares += qkv[at + i]! ** 2;
        const scale = 1 / Math.sqrt(squares / d + eps);
        const entry = (i: number) => qkv[at + i]! * scale * gain![(head < H ? 0 : d) + i]!;
        for (let i = 0; i < d / 2; i++) {
          const turn = turnOf(size, rows!, angles!, t, i);
          [qkv[at + i], qkv[at + i + d / 2]] = turnedPair(size, head, turn, [entry(i), entry(i + d / 2)]);
        }
      }
    }
  },
};
