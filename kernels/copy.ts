import source from "./copy.wgsl?raw";
import type { Kernel } from "./kernel.ts";

export interface CopySize {
  /** Words of four bytes: a multiple of four. */
  words: number;
}

/** vec4s that a thread copies. */
const EACH = 8;

/** The bench compares other kernels with it: a plain copy has the highest bandwidth. */
export const copy: Kernel<CopySize> = {
  name: "copy",
  source: [source],
  testSizes: [{ words: 4 }, { words: 1028 }, { words: 4 * 64 * 64 * EACH + 4 }],
  cpu: { op: "copy" },
  bindings: ({ words }) => [
    { name: "x", type: "u32", length: words },
    { name: "out", type: "u32", length: words, writes: true },
  ],
  constants: ({ words }) => ({ LENGTH: words / 4, EACH }),
  workgroups: ({ words }) => [64, Math.ceil(words / 4 / (64 * 64 * EACH))],
  reference(_, x, out) {
    out!.set(x!);
  },
};
