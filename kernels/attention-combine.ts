import { type AttentionSize, partialLength } from "./attention.ts";
import source from "./attention-combine.wgsl?raw";
import { padded } from "./formats/format.ts";
import type { Kernel } from "./kernel.ts";
import { EMPTY } from "./ring.ts";

export type AttentionCombineSize = Pick<AttentionSize, "T" | "H" | "d" | "SPLITS">;

/** Combines the parts that attention was split into (Flash-Decoding, Dao et al. 2023). */
export const attentionCombine: Kernel<AttentionCombineSize> = {
  name: "attention_combine",
  source: [source],
  testSizes: [
    { T: 1, H: 1, d: 2, SPLITS: 2 },
    { T: 3, H: 5, d: 6, SPLITS: 7 },
    { T: 2, H: 4, d: 128, SPLITS: 32 },
  ],
  bindings: (size) => [
    { name: "partial", type: "f32", length: partialLength(size) },
    { name: "out", type: "f32", length: size.T * padded(size.H * size.d), writes: true },
  ],
  constants: ({ H, d, SPLITS }) => ({ H, d, SPLITS, STRIDE: padded(H * d) }),
  workgroups: ({ T, H }) => [H, T],
  /** Largest scores of any size, sums above 1, and some parts without keys. */
  fill: ({ d, SPLITS, ...size }, name, random) => {
    if (name !== "partial") return undefined;
    const uniform = (): number => random() / 2 ** 31 - 1;
    return Float32Array.from({ length: partialLength({ d, SPLITS, ...size }) }, (_, i) => {
      const part = Math.floor(i / (2 + d)) % SPLITS;
      const empty = part > 0 && part % 3 === 1;
      const entry = i % (2 + d);
      if (empty) return entry === 0 ? EMPTY : 0;
      return entry === 0 ? 5 * uniform() : entry === 1 ? 2 + uniform() : 3 * uniform();
    });
  },
  reference({ T, H, d, SPLITS }, partial, out) {
    for (let t = 0; t < T; t++) {
      for (let h = 0; h < H; h++) {
        const parts = Array.from({ length: SPLITS }, (_, part) => ((t * H + h) * SPLITS + part) * (2 + d));
        const largest = Math.max(...parts.map((at) => partial[at]!));
        const weights = parts.map((at) => Math.exp(partial[at]! - largest));
        const sum = parts.reduce((total, at, part) => total + weights[part]! * partial[at + 1]!, 0);
        for (let i = 0; i < d; i++) {
          const total = parts.reduce((acc, at, part) => acc + weights[part]! * partial[at + 2 + i]!, 0);
          out[t * padded(H * d) + h * d + i] = total / sum;
        }
      }
    }
  },
};
