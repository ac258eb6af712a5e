import { padded } from "./formats/format.ts";
import type { Kernel } from "./kernel.ts";
import source from "./rms-norm.wgsl?raw";
import sum from "./snippets/sum.wgsl?raw";

export interface RmsNormSize {
  T: number;
  D: number;
  eps: number;
}

export const rmsNorm: Kernel<RmsNormSize> = {
  name: "rms_norm",
  source: [source, sum],
  testSizes: [
    { T: 1, D: 5, eps: 1e-5 },
    { T: 3, D: 129, eps: 1e-5 },
    { T: 2, D: 4096, eps: 1e-5 },
  ],
  cpu: { op: "rms_norm" },
  bindings: ({ T, D }) => [
    { name: "x", type: "f32", length: T * padded(D) },
    { name: "gain", type: "f32", length: D },
    { name: "out", type: "f32", length: T * padded(D), writes: true },
  ],
  constants: ({ D, eps }) => ({ D, STRIDE: padded(D), EPS: eps }),
  workgroups: ({ T }) => [T],
  reference({ T, D, eps }, x, gain, out) {
    for (let t = 0; t < T; t++) {
      const row = t * padded(D);
      let squares = 0;
      for (let i = 0; i < D; i++) squares += x[row + i]! ** 2;
      const scale = 1 / Math.sqrt(squares / D + eps);
      for (let i = 0; i < D; i++) out[row + i] = x[row + i]! * scale * gain[i]!;
    }
  },
};
