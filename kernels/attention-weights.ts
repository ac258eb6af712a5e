import { attentionSizes } from "./attention.ts";
import source from "./attention-weights.wgsl?raw";
import type { CacheFormat } from "./cache-formats/cache-format.ts";
import type { AttentionWeightsCall } from "./cpu/attention-weights.ts";
import type { Kernel } from "./kernel.ts";
import {
  attentionScores,
  decodeRows,
  firstVisible,
  type RingSize,
  ringBindings,
  ringConstants,
  ringContents,
  visibleStride,
} from "./ring.ts";
import ring from "./snippets/ring.wgsl?raw";
import sum from "./snippets/sum.wgsl?raw";

/** Length of f32 [T, H, min(S, W)]. */
export const attentionWeightsLength = (size: Pick<RingSize, "T" | "H" | "S" | "W">): number =>
  size.T * size.H * visibleStride(size);

/**
 * The weights of each query head for the positions that it sees, for Inspect only: attention itself never
 * holds all of them. The newest key is in the ring already.
 */
export const attentionWeights = (format: CacheFormat): Kernel<RingSize> => ({
  name: "attention_weights",
  variant: format.name,
  source: [source, ring, sum, format.reader],
  testSizes: attentionSizes(format).map(({ SPLITS: _, ...size }) => size),
  cpu: { op: "attention_weights", format: format.name } satisfies AttentionWeightsCall,
  bindings: (size) => [
    ...ringBindings(format, size, false),
    { name: "out", slot: 3, type: "f32", length: attentionWeightsLength(size), writes: true },
  ],
  constants: (size) => ({ ...ringConstants(size), OUT_STRIDE: visibleStride(size) }),
  workgroups: ({ T, H }) => [H, T],
  fill: (size, name, random) =>
    ringContents(format, size, name, random, { ...decodeRows(size), stores: false }),
  reference(size, qkv, cache, rows, out) {
    const { T, H, W } = size;
    for (let t = 0; t < T; t++) {
      const position = rows![4 * t + 1]!;
      for (let h = 0; h < H; h++) {
        const from = firstVisible(position, W);
        const scores = attentionScores(format, size, [qkv!, cache!, rows!], t, h, from, position + 1);
        const largest = scores.reduce((a, b) => Math.max(a, b));
        const weights = scores.map((score) => Math.exp(score - largest));
        const total = weights.reduce((a, b) => a + b);
        out!.set(
          weights.map((weight) => weight / total),
          (t * H + h) * visibleStride(size),
        );
      }
    }
  },
});
