import type { AttentionSize } from "./attention.ts";
import source from "./attention-combine.wgsl?raw";
import { partialLength, partKeys, usedParts } from "./attention-parts.ts";
import { padded } from "./formats/format.ts";
import type { Kernel } from "./kernel.ts";
import parts from "./snippets/parts.wgsl?raw";

export type AttentionCombineSize = Pick<AttentionSize, "T" | "H" | "d" | "W" | "SPLITS" | "positions">;

/** Combines the parts that attention was split into (Flash-Decoding, Dao et al. 2023). */
export const attentionCombine: Kernel<AttentionCombineSize> = {
  name: "attention_combine",
  source: [source, parts],
  testSizes: [
    { T: 1, H: 1, d: 2, W: 0xffffffff, SPLITS: 2, positions: [255] },
    { T: 3, H: 5, d: 6, W: 700, SPLITS: 7, positions: [9, 300, 15_999_999] },
    { T: 2, H: 4, d: 130, W: 0xffffffff, SPLITS: 128, positions: [40_000, 2000] },
  ],
  cpu: { op: "attention_combine" },
  bindings: (size) => [
    { name: "partial", type: "f32", length: partialLength(size) },
    { name: "rows", type: "u32", length: size.T * 4 },
    { name: "out", type: "f32", length: size.T * padded(size.H * size.d), writes: true },
  ],
  constants: ({ H, d, W, SPLITS }) => ({ H, d, W, SPLITS, STRIDE: padded(H * d) }),
  workgroups: ({ T, H }) => [H, T],
  cost: (size, position) => ({ passes: { partial: usedParts(size, position) } }),
  /** Largest scores of any size, and sums above 1. Parts without keys are NaN. */
  fill: (size, name, random) => {
    const { T, H, d, SPLITS, positions } = size;
    if (name === "rows")
      return Uint32Array.from({ length: 4 * T }, (_, i) => (i % 4 === 1 ? positions![i >> 2]! : random()));
    if (name !== "partial") return undefined;
    const uniform = (): number => random() / 2 ** 31 - 1;
    return Float32Array.from({ length: partialLength(size) }, (_, i) => {
      const part = Math.floor(i / (2 + d));
      const used = SPLITS * usedParts(size, positions![Math.floor(part / SPLITS / H)]!);
      const entry = i % (2 + d);
      if (part % SPLITS >= used) return Number.NaN;
      return entry === 0 ? 5 * uniform() : entry === 1 ? 2 + uniform() : 3 * uniform();
    });
  },
  reference({ T, H, d, W, SPLITS }, partial, rows, out) {
    for (let t = 0; t < T; t++) {
      const visible = Math.min(rows![4 * t + 1]! + 1, W);
      const count = Math.ceil(visible / partKeys(visible, SPLITS));
      for (let h = 0; h < H; h++) {
        const parts = Array.from({ length: count }, (_, part) => ((t * H + h) * SPLITS + part) * (2 + d));
        const largest = Math.max(...parts.map((at) => partial![at]!));
        const weights = parts.map((at) => Math.exp(partial![at]! - largest));
        const sum = parts.reduce((total, at, part) => total + weights[part]! * partial![at + 1]!, 0);
        for (let i = 0; i < d; i++) {
          const total = parts.reduce((acc, at, part) => acc + weights[part]! * partial![at + 2 + i]!, 0);
          out![t * padded(H * d) + h * d + i] = total / sum;
        }
      }
    }
  },
};
