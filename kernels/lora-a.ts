import { padded } from "./formats/format.ts";
import type { Kernel } from "./kernel.ts";
import { hLength, type LoraSize, useBindings, useConstants, useContents, usesOf } from "./lora.ts";
import source from "./lora-a.wgsl?raw";
import { inputBindings, inputConstants, inputContents, referenceInput } from "./matrix-input.ts";
import norm from "./snippets/lora-input-norm.wgsl?raw";
import plain from "./snippets/lora-input-plain.wgsl?raw";
import uses from "./snippets/lora-uses.wgsl?raw";
import sum from "./snippets/sum.wgsl?raw";

export interface LoraASize extends LoraSize {
  /** Width of the input. */
  K: number;
  eps?: number;
}

/** The first product of LoRA adapters: A times the input of a matrix, times the scale of the call. */
export const loraA = (input: "plain" | "norm"): Kernel<LoraASize> => ({
  name: "lora_a",
  variant: input,
  source: [source, uses, input === "norm" ? norm : plain, sum],
  cpu: { op: "lora_a", input },
  testSizes: [
    { T: 1, K: 5, M: 8, B: 1, slots: 1 },
    { T: 5, K: 300, M: 24, B: 3, slots: 2 },
  ],
  bindings: (size) => [
    ...inputBindings(size, input),
    ...useBindings(size, 2),
    { name: "a", slot: 4, type: "f32", length: size.slots * size.M * padded(size.K) },
    { name: "h", slot: 5, type: "f32", length: hLength(size), writes: true },
  ],
  constants: (size) => ({ ...inputConstants(size, input), M: size.M, ...useConstants }),
  workgroups: ({ T, M }) => [M, T],
  cost: ({ T, M, K, slots }) => ({ flops: 2 * T * M * K, passes: { a: T / slots } }),
  // The columns of A from K on meet zeros.
  fill: (size, name, random) => inputContents(size, name, random) ?? useContents(size, name),
  reference(size, x, ...buffers) {
    const [gain, rows, uses, a, h] = input === "norm" ? buffers : [undefined, ...buffers];
    const { T, M, K } = size;
    for (let t = 0; t < T; t++) {
      const row = referenceInput(size, t, x, gain);
      for (const { slot, scale, at } of usesOf(size, rows!, uses!, t)) {
        for (let m = 0; m < M; m++) {
          const first = (slot * M + m) * padded(K);
          h![at + m] = scale * row.reduce((sum, value, k) => sum + value * a![first + k]!, 0);
        }
      }
    }
  },
});
