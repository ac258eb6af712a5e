import { type Addend, addendBindings, addendConstants, withAddend } from "./addend.ts";
import { weightContents } from "./formats/contents.ts";
import { padded, type WeightFormat } from "./formats/format.ts";
import type { Kernel } from "./kernel.ts";
import { type InputSize, referenceDot } from "./matrix-input.ts";
import source from "./matvec.wgsl?raw";
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
import { vectorBindings, vectorConstants, vectorContents, vectorRow } from "./vector-input.ts";

export interface MatvecSize extends InputSize, TokenBlocks {
  /** Rows of this part of the matrix, and the output column of the first. */
  N: number;
  N0?: number;
  /** Outputs of the whole matrix. Default N0 + N. */
  width?: number;
  /** Add to the output instead of replacing it. Default false. */
  add?: boolean;
}

const outputs = ({ N, N0 = 0, width = N0 + N }: MatvecSize): number => padded(width);

/** A part writes only its own outputs. With `add` it reads them too. */
export const outputPasses = (size: MatvecSize) => ({ y: (size.N / outputs(size)) * (size.add ? 2 : 1) });

/** For teams that share a workgroup and read 1024 columns a round. */
const warpSizes: readonly MatvecSize[] = [
  { T: 5, tokensPerBlock: 2, N: 21, K: 1124, N0: 5, width: 30, add: true },
  { T: 1, N: 1, K: 5 },
];

/** A matrix times a few tokens. Each weight is read once per block of tokens. */
export function matvec(
  format: WeightFormat,
  variant: MatvecVariant,
  input: "plain" | "norm" = "plain",
  addend: Addend = "none",
): Kernel<MatvecSize> {
  const parts = variantParts(format, variant, input, [source], addend);
  const order = parts.quantizedInput;
  return {
    name: input === "norm" && !order ? "matvec_norm" : "matvec",
    ...parts,
    // Sums near 0 keep the error of their parts: 2e-6 at K 1024.
    floor: 4e-3,
    cpu: { op: "matvec", format: format.name, input: order ? "codes" : input, addend },
    testSizes:
      matvecVariants[variant]?.team === "warp" && addend === "none"
        ? warpSizes
        : addend === "none"
          ? [
              { T: 1, N: 1, K: 5 },
              { T: 3, N: 7, K: 37, N0: 5, width: 20, add: true },
              { T: 2, N: 260, K: 1024 },
              // Other formats: token-blocks.test.ts covers blocks of tokens (bit-identical results).
              ...(format.name === "q4" && input === "plain"
                ? [{ T: 5, tokensPerBlock: 4, N: 7, K: 100, add: true } as const]
                : []),
            ]
          : [{ T: 5, tokensPerBlock: 4, N: 9, K: 37, N0: 30, width: 50, add: true }],
    bindings: (size) => [
      ...vectorBindings(size, input, order),
      { name: "y", slot: 2, type: "f32", length: size.T * outputs(size), writes: true },
      ...addendBindings(addend, size.T, outputs(size)),
      ...format.bindings(size.N, padded(size.K)),
    ],
    constants: (size) => ({
      ...vectorConstants(size, input, order),
      ...blockConstants(size),
      ...addendConstants(addend, outputs(size)),
      N: size.N,
      N0: size.N0 ?? 0,
      Y_STRIDE: outputs(size),
      ADD: size.add ? 1 : 0,
    }),
    workgroups: (size) => teamGroups(Math.ceil(size.N / ROWS_PER_TEAM), size, variant),
    cost: (size) => ({
      flops: 2 * size.T * size.N * size.K,
      passes: { ...outputPasses(size), ...weightPasses(size), addend: size.N / outputs(size) },
    }),
    fill: (size, name, random) =>
      vectorContents(size, order, name, random) ??
      weightContents(format, size.N, padded(size.K), name, random),
    reference(size, x, ...rest) {
      const second = input === "norm" || order ? rest.shift() : undefined;
      const y = rest.shift();
      const added = addend === "none" ? undefined : rest.shift();
      for (let t = 0; t < size.T; t++) {
        const row = vectorRow(size, order, t, x, second);
        for (let n = 0; n < size.N; n++) {
          const at = t * outputs(size) + (size.N0 ?? 0) + n;
          const product = referenceDot(format, rest, n, row);
          const sum = withAddend(addend, added, { entry: at, stride: outputs(size), product });
          y![at] = sum + (size.add ? y![at]! : 0);
        }
      }
    },
  };
}
