import { type Addend, addendBindings, addendSource } from "./addend.ts";
import { padded } from "./formats/format.ts";
import type { Kernel } from "./kernel.ts";
import { hLength, type LoraSize, useBindings, useConstants, useContents, usesOf } from "./lora.ts";
import source from "./lora-b.wgsl?raw";
import pairs from "./snippets/lora-output-addend.wgsl?raw";
import inPlace from "./snippets/lora-output-in-place.wgsl?raw";
import uses from "./snippets/lora-uses.wgsl?raw";

export interface LoraBSize extends LoraSize {
  /** Rows of the matrix that is adapted: of all that are stacked. */
  N: number;
  /** Rank of each of the stacked matrices, a multiple of 4. M is a multiple of it. */
  R: number;
}

/**
 * The second product of LoRA adapters: B times `h`.
 * @param output `addend`: pairs (gain, delta) for a kernel that is made with the addend `delta`. `in_place`:
 * y becomes gain · (y + B h)
 * @param addend a bias, which the delta then contains
 */
export const loraB = (
  output: "addend" | "in_place",
  addend: Exclude<Addend, "delta"> = "none",
): Kernel<LoraBSize> => ({
  name: "lora_b",
  variant: addend === "none" ? output : `${output}_biased`,
  source: [source, uses, ...(output === "addend" ? [pairs, addendSource(addend)] : [inPlace])],
  cpu: { op: "lora_b", output, addend },
  testSizes: [
    { T: 1, N: 1, R: 8, M: 8, B: 1, slots: 1 },
    { T: 5, N: 70, R: 8, M: 24, B: 3, slots: 2 },
  ],
  bindings: (size) => [
    { name: "h", slot: 0, type: "f32", length: hLength(size) },
    { name: "b", slot: 1, type: "f32", length: size.slots * size.N * size.R },
    ...useBindings(size, 2),
    { name: "gains", slot: 4, type: "f32", length: size.slots * size.N },
    ...addendBindings(addend, size.T, padded(size.N)),
    { name: "blocks", slot: 6, type: "u32", length: size.N },
    {
      name: "y",
      slot: 7,
      type: "f32",
      length: (output === "addend" ? 2 : 1) * size.T * padded(size.N),
      writes: true,
    },
  ],
  constants: ({ M, N, R }) => ({ M, N, R, Y_STRIDE: padded(N), ...useConstants }),
  workgroups: ({ T, N }) => [Math.ceil(N / 64), T],
  cost: ({ T, N, R, slots }) => ({ flops: 2 * T * N * R, passes: { b: T / slots, gains: T / slots } }),
  fill: (size, name, random) =>
    name === "blocks"
      ? Uint32Array.from({ length: size.N }, () => random() % (size.M / size.R))
      : useContents(size, name),
  reference({ T, N, R, M }, h, b, rows, uses, gains, ...buffers) {
    const bias = addend === "bias" ? buffers.shift() : undefined;
    const [blocks, y] = buffers;
    for (let t = 0; t < T; t++) {
      const used = usesOf({ M }, rows!, uses!, t);
      for (let n = 0; n < N; n++) {
        const at = t * padded(N) + n;
        let gain = 1;
        let sum = 0;
        for (const use of used) {
          for (let m = 0; m < R; m++)
            sum += b![(use.slot * N + n) * R + m]! * h![use.at + blocks![n]! * R + m]!;
          gain *= gains![use.slot * N + n]!;
        }
        if (output === "addend") y!.set([gain, gain * sum + (bias?.[n] ?? 0)], 2 * at);
        else y![at] = gain * (y![at]! + sum);
      }
    }
  },
});
