import { padded } from "./formats/format.ts";
import type { Kernel } from "./kernel.ts";
import silu from "./snippets/silu.wgsl?raw";
import source from "./swiglu.wgsl?raw";

export interface SwigluSize {
  T: number;
  /** Outputs of this part of the gate_up matrix, the column of the first, and the outputs of all parts. */
  F: number;
  F0?: number;
  width?: number;
}

const total = ({ F, F0 = 0, width = F0 + F }: SwigluSize): number => width;

export const swiglu: Kernel<SwigluSize> = {
  name: "swiglu",
  source: [source, silu],
  testSizes: [
    { T: 1, F: 1 },
    { T: 3, F: 37, F0: 6, width: 50 },
    { T: 2, F: 704 },
  ],
  cpu: { op: "swiglu" },
  bindings: (size) => [
    { name: "gate_up", type: "f32", length: size.T * padded(2 * total(size)) },
    { name: "hidden", type: "f32", length: size.T * padded(total(size)), writes: true },
  ],
  constants: (size) => ({
    F: size.F,
    F0: size.F0 ?? 0,
    X_STRIDE: padded(2 * total(size)),
    Y_STRIDE: padded(total(size)),
  }),
  workgroups: ({ F, T }) => [Math.ceil(F / 64), T],
  reference(size, gateUp, hidden) {
    const { T, F, F0 = 0 } = size;
    for (let t = 0; t < T; t++) {
      for (let f = 0; f < F; f++) {
        const at = t * padded(2 * total(size)) + 2 * F0 + f;
        const gate = gateUp[at]!;
        hidden![t * padded(total(size)) + F0 + f] = (gate / (1 + Math.exp(-gate))) * gateUp[at + F]!;
      }
    }
  },
};
