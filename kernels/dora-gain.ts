import source from "./dora-gain.wgsl?raw";
import { weightContents } from "./formats/contents.ts";
import { padded, type WeightFormat } from "./formats/format.ts";
import type { Buffer, Kernel } from "./kernel.ts";
import sum from "./snippets/sum.wgsl?raw";

export interface DoraGainSize {
  /** Rows of this part of the matrix, the first of them, and rows of the whole matrix. */
  N: number;
  N0: number;
  width: number;
  K: number;
  /** As in lora_a and lora_b. */
  R: number;
  M: number;
  slots: number;
}

/**
 * DoRA's gain of each row: its magnitude by the norm of the adapted row, once for each adapter. `gains` holds
 * the magnitudes, and the gains afterwards.
 */
export const doraGain = (format: WeightFormat): Kernel<DoraGainSize> => ({
  name: "dora_gain",
  variant: format.name,
  source: [source, sum, ...format.source],
  cpu: { op: "dora_gain", format: format.name },
  testSizes: [
    { N: 1, N0: 0, width: 1, K: 5, R: 8, M: 8, slots: 1 },
    { N: 7, N0: 3, width: 12, K: 70, R: 8, M: 16, slots: 3 },
  ],
  bindings: (size) => [
    { name: "a", slot: 0, type: "f32", length: size.slots * size.M * padded(size.K) },
    { name: "b", slot: 1, type: "f32", length: size.slots * size.width * size.R },
    { name: "gains", slot: 2, type: "f32", length: size.slots * size.width, writes: true },
    { name: "blocks", slot: 3, type: "u32", length: size.width },
    { name: "columns", slot: 4, type: "u32", length: padded(size.K) },
    { name: "is_dora", slot: 5, type: "u32", length: size.slots * size.width },
    ...format.bindings(size.N, padded(size.K)),
  ],
  constants: ({ N0, width, K, R, M }) => ({ N0, ROWS: width, WIDTH: K, K: padded(K), R, M }),
  workgroups: ({ N, slots }) => [N, slots],
  fill(size, name, random) {
    const { M, R, K, slots, width } = size;
    if (name === "is_dora") return Uint32Array.from({ length: slots * width }, () => random() % 2);
    if (name === "blocks") return Uint32Array.from({ length: width }, () => random() % (M / R));
    // The columns in reverse.
    if (name === "columns") return Uint32Array.from({ length: padded(K) }, (_, k) => (k < K ? K - 1 - k : k));
    return weightContents(format, size.N, padded(K), name, random);
  },
  reference(size, a, b, gains, blocks, columns, isDora, ...weight) {
    const { N, N0, width, K, M, R, slots } = size;
    const at = (buffer: Buffer | undefined, i: number) => buffer![i]!;
    for (let slot = 0; slot < slots; slot++) {
      for (let n = 0; n < N; n++) {
        const row = slot * width + N0 + n;
        if (!at(isDora, row)) continue;
        let squares = 0;
        for (let k = 0; k < K; k++) {
          let value = format.at(weight, n * padded(K) + k, padded(K));
          for (let m = 0; m < R; m++) {
            const ofA = (slot * M + at(blocks, N0 + n) * R + m) * padded(K) + at(columns, k);
            value += at(b, row * R + m) * at(a, ofA);
          }
          squares += value * value;
        }
        gains![row] = squares > 0 ? at(gains, row) / Math.sqrt(squares) : 0;
      }
    }
  },
});
