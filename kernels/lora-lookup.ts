import type { Kernel } from "./kernel.ts";
import { hLength, type LoraSize, useBindings, useConstants, useContents, usesOf } from "./lora.ts";
import source from "./lora-lookup.wgsl?raw";
import uses from "./snippets/lora-uses.wgsl?raw";

export interface LoraLookupSize extends LoraSize {
  V: number;
}

/** The first product of adapters of the embedding: the input is one token, so it is a row of A transposed. */
export const loraLookup: Kernel<LoraLookupSize> = {
  name: "lora_lookup",
  source: [source, uses],
  cpu: { op: "lora_lookup" },
  testSizes: [
    { T: 1, V: 1, M: 8, B: 1, slots: 1 },
    { T: 7, V: 20, M: 16, B: 3, slots: 2 },
  ],
  bindings: (size) => [
    ...useBindings(size, 2),
    { name: "a", slot: 4, type: "f32", length: size.slots * size.V * size.M },
    { name: "h", slot: 5, type: "f32", length: hLength(size), writes: true },
  ],
  constants: ({ M, V }) => ({ M, V, ...useConstants }),
  workgroups: ({ T, M }) => [Math.ceil(M / 64), T],
  cost: ({ T, V, slots }) => ({ passes: { a: T / (V * slots) } }),
  fill: useContents,
  reference({ T, V, M }, rows, uses, a, h) {
    for (let t = 0; t < T; t++) {
      for (const { slot, scale, at } of usesOf({ M }, rows!, uses!, t)) {
        const first = (slot * V + rows![4 * t]!) * M;
        for (let m = 0; m < M; m++) h![at + m] = scale * a![first + m]!;
      }
    }
  },
};
