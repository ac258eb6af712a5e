import type { Kernel } from "./kernel.ts";
import source from "./multiply-add.wgsl?raw";

export interface MultiplyAddSize {
  /** Threads of all workgroups. Each has four vec4s. */
  threads: number;
  /** Dependent multiply-adds in a row. */
  rounds: number;
}

const WORDS = 16;

/** The bench compares other kernels with it: multiply-adds in registers have the highest throughput. */
export const multiplyAdd: Kernel<MultiplyAddSize> = {
  name: "multiply_add",
  source: [source],
  testSizes: [
    { threads: 1, rounds: 1 },
    { threads: 70, rounds: 9 },
  ],
  cpu: { op: "multiply_add" },
  bindings: ({ threads }) => [
    { name: "x", type: "f32", length: WORDS * threads },
    { name: "y", type: "f32", length: WORDS * threads, writes: true },
  ],
  constants: ({ threads, rounds }) => ({ THREADS: threads, ROUNDS: rounds }),
  workgroups: ({ threads }) => [Math.ceil(threads / 64)],
  cost: ({ threads, rounds }) => ({ flops: 2 * WORDS * threads * rounds, passes: { y: 2 } }),
  reference({ rounds }, x, y) {
    for (let i = 0; i < y!.length; i++) {
      for (let round = 0; round < rounds; round++) y![i] = y![i]! / 2 + x![i]!;
    }
  },
};
