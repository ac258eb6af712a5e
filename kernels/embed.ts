import source from "./embed.wgsl?raw";
import { weightContents } from "./formats/contents.ts";
import { padded, type WeightFormat } from "./formats/format.ts";
import type { Kernel } from "./kernel.ts";

export interface EmbedSize {
  T: number;
  K: number;
  /** Rows of this part of the embedding, and its first id. */
  N: number;
  N0?: number;
}

/** The embedding rows of the tokens, as f32. */
export const embed = (format: WeightFormat): Kernel<EmbedSize> => ({
  name: "embed",
  variant: format.name,
  source: [source, ...format.source],
  cpu: { op: "embed", format: format.name },
  testSizes: [
    { T: 1, K: 5, N: 1 },
    { T: 40, K: 37, N: 10, N0: 5 },
    { T: 3, K: 1024, N: 9 },
  ],
  bindings: ({ T, K, N }) => [
    { name: "rows", slot: 0, type: "u32", length: T * 4 },
    { name: "x", slot: 1, type: "f32", length: T * padded(K), writes: true },
    ...format.bindings(N, padded(K)),
  ],
  constants: ({ K, N, N0 = 0 }) => ({ K: padded(K), WIDTH: K, N, N0 }),
  workgroups: ({ K, T }) => [Math.ceil(padded(K) / 8 / 64), T],
  // Reads T single rows.
  cost: ({ T, N }) => ({ passes: { weight: T / N, scale: T / N } }),
  fill: ({ T, K, N, N0 = 0 }, name, random) =>
    // Also ids before and after this part.
    name === "rows"
      ? Uint32Array.from({ length: T * 4 }, () => random() % (N0 + N + N0))
      : weightContents(format, N, padded(K), name, random),
  reference({ T, K, N, N0 = 0 }, rows, x, ...weight) {
    for (let t = 0; t < T; t++) {
      const n = rows[4 * t]! - N0;
      if (n < 0 || n >= N) continue;
      for (let k = 0; k < padded(K); k++)
        x![t * padded(K) + k] = k < K ? format.at(weight, n * padded(K) + k, padded(K)) : 0;
    }
  },
});
