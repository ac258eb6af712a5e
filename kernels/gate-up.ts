import { type Addend, addendBindings, addendConstants, withAddend } from "./addend.ts";
import { weightContents } from "./formats/contents.ts";
import { padded, type WeightFormat } from "./formats/format.ts";
import source from "./gate-up.wgsl?raw";
import type { Kernel } from "./kernel.ts";
import { type InputSize, referenceDot } from "./matrix-input.ts";
import {
  blockConstants,
  type MatvecVariant,
  matvecVariants,
  ROWS_PER_TEAM,
  type TokenBlocks,
  teamGroups,
  variantParts,
  weightPasses,
} from "./matvec-variants.ts";
import silu from "./snippets/silu.wgsl?raw";
import { vectorBindings, vectorConstants, vectorContents, vectorRow } from "./vector-input.ts";

export interface GateUpSize extends InputSize, TokenBlocks {
  /** Outputs of this part of the matrix, and the column of the first. */
  F: number;
  F0?: number;
  /** Outputs of the whole matrix. Default F0 + F. */
  width?: number;
}

const outputs = ({ F, F0 = 0, width = F0 + F }: GateUpSize): number => padded(width);
/** Stored width of the product before SwiGLU: each part has F gate columns, then F up columns. */
const products = ({ F, F0 = 0, width = F0 + F }: GateUpSize): number => padded(2 * width);

/** RMSNorm, the gate and up projections, and SwiGLU in one kernel (Shazeer 2020). */
export function gateUp(
  format: WeightFormat,
  variant: MatvecVariant,
  addend: Addend = "none",
): Kernel<GateUpSize> {
  const parts = variantParts(format, variant, "norm", [source, silu], addend);
  const order = parts.quantizedInput;
  return {
    name: "gate_up",
    ...parts,
    cpu: { op: "gate_up", format: format.name, input: order ? "codes" : "norm", addend },
    testSizes:
      matvecVariants[variant].team === "warp" && addend === "none"
        ? [{ T: 3, tokensPerBlock: 2, F: 21, K: 1124, F0: 6, width: 50 }]
        : addend === "none"
          ? [
              { T: 1, F: 1, K: 5 },
              { T: 2, F: 37, K: 33, F0: 6, width: 50 },
              { T: 1, F: 130, K: 704 },
              ...(format.name === "q4" ? [{ T: 7, tokensPerBlock: 4, F: 5, K: 70 } as const] : []),
            ]
          : [{ T: 7, tokensPerBlock: 4, F: 37, K: 33, F0: 6, width: 50 }],
    bindings: (size) => [
      ...vectorBindings(size, "norm", order),
      { name: "hidden", slot: 2, type: "f32", length: size.T * outputs(size), writes: true },
      ...addendBindings(addend, size.T, products(size)),
      ...format.bindings(2 * size.F, padded(size.K)),
    ],
    constants: (size) => ({
      ...vectorConstants(size, "norm", order),
      ...blockConstants(size),
      ...addendConstants(addend, products(size)),
      F: size.F,
      F0: size.F0 ?? 0,
      Y_STRIDE: outputs(size),
    }),
    workgroups: (size) => teamGroups(Math.ceil(size.F / (ROWS_PER_TEAM / 2)), size, variant),
    cost: (size) => ({
      flops: 4 * size.T * size.F * size.K,
      passes: {
        hidden: size.F / outputs(size),
        addend: (2 * size.F) / products(size),
        ...weightPasses(size),
      },
    }),
    fill: (size, name, random) =>
      vectorContents(size, order, name, random) ??
      weightContents(format, 2 * size.F, padded(size.K), name, random),
    reference(size, x, second, hidden, ...weight) {
      const added = addend === "none" ? undefined : weight.shift();
      for (let t = 0; t < size.T; t++) {
        const row = vectorRow(size, order, t, x, second);
        for (let f = 0; f < size.F; f++) {
          const at = t * products(size) + 2 * (size.F0 ?? 0) + f;
          const [gate, up] = [0, size.F].map((half) => {
            const product = referenceDot(format, weight, f + half, row);
            return withAddend(addend, added, { entry: at + half, stride: products(size), product });
          }) as [number, number];
          hidden![t * outputs(size) + (size.F0 ?? 0) + f] = (gate / (1 + Math.exp(-gate))) * up;
        }
      }
    },
  };
}
