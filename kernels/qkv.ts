import { type Addend, addendBindings, addendConstants, withAddend } from "./addend.ts";
import { weightContents } from "./formats/contents.ts";
import { padded, type WeightFormat } from "./formats/format.ts";
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
import source from "./qkv.wgsl?raw";
import { qkvStride } from "./ring.ts";
import {
  anglePasses,
  type RopeSize,
  ropeBindings,
  ropeConstants,
  ropeContents,
  TEST_SCALE,
  turnedPair,
  turnOf,
} from "./rope.ts";
import rope from "./snippets/rope.wgsl?raw";
import { vectorBindings, vectorConstants, vectorContents, vectorRow } from "./vector-input.ts";

export interface QkvSize extends InputSize, TokenBlocks, RopeSize {
  /** Heads (queries, then keys, then values) of this part of the matrix, and the first of them. */
  heads: number;
  head0?: number;
}

/** RMSNorm, the three projections as one matrix [(H + 2G)·d, D], and RoPE in one kernel. */
export function qkv(format: WeightFormat, variant: MatvecVariant, addend: Addend = "none"): Kernel<QkvSize> {
  const parts = variantParts(format, variant, "norm", [source, rope], addend);
  const order = parts.quantizedInput;
  return {
    name: "qkv",
    ...parts,
    cpu: { op: "qkv", format: format.name, input: order ? "codes" : "norm", addend },
    testSizes:
      matvecVariants[variant].team === "warp" && addend === "none"
        ? [{ T: 5, tokensPerBlock: 4, K: 70, H: 6, G: 2, d: 6, heads: 10 }]
        : addend === "none"
          ? [
              { T: 1, K: 5, H: 1, G: 1, d: 2, heads: 3 },
              { T: 3, K: 37, H: 6, G: 2, d: 6, heads: 10 },
              { T: 2, K: 64, H: 8, G: 4, d: 32, heads: 10, head0: 6 },
              ...(format.name === "q4"
                ? [{ T: 5, tokensPerBlock: 4, K: 40, H: 2, G: 1, d: 6, heads: 4 } as const]
                : []),
            ]
          : [
              {
                T: 5,
                tokensPerBlock: 4,
                K: 37,
                H: 6,
                G: 2,
                d: 6,
                heads: 7,
                head0: 3,
                queryScale: TEST_SCALE,
              },
            ],
    bindings: (size) => [
      ...vectorBindings(size, "norm", order),
      ...ropeBindings(size),
      { name: "out", slot: 4, type: "f32", length: size.T * qkvStride(size), writes: true },
      ...addendBindings(addend, size.T, qkvStride(size)),
      ...format.bindings(size.heads * size.d, padded(size.K)),
    ],
    constants: (size) => ({
      ...vectorConstants(size, "norm", order),
      ...blockConstants(size),
      ...ropeConstants(size),
      ...addendConstants(addend, qkvStride(size)),
      HEADS: size.heads,
      HEAD0: size.head0 ?? 0,
    }),
    workgroups: (size) => teamGroups(Math.ceil((size.heads * size.d) / ROWS_PER_TEAM), size, variant),
    cost: (size) => ({
      flops: 2 * size.T * size.heads * size.d * size.K,
      passes: {
        angles: anglePasses(size),
        out: size.heads / (size.H + 2 * size.G),
        addend: size.heads / (size.H + 2 * size.G),
        ...weightPasses(size),
      },
    }),
    fill: (size, name, random) =>
      vectorContents(size, order, name, random) ??
      ropeContents(size, name, 0) ??
      weightContents(format, size.heads * size.d, padded(size.K), name, random),
    reference(size, x, second, rows, angles, out, ...weight) {
      const added = addend === "none" ? undefined : weight.shift();
      const { T, heads, head0 = 0, d } = size;
      for (let t = 0; t < T; t++) {
        const row = vectorRow(size, order, t, x, second);
        for (let head = 0; head < heads; head++) {
          for (let i = 0; i < d / 2; i++) {
            const at = t * qkvStride(size) + (head0 + head) * d + i;
            const pair = [0, d / 2].map((half) => {
              const product = referenceDot(format, weight, head * d + i + half, row);
              return withAddend(addend, added, { entry: at + half, stride: qkvStride(size), product });
            });
            const turn = turnOf(size, rows!, angles!, t, i);
            const turned = turnedPair(size, head0 + head, turn, pair as [number, number]);
            [out![at], out![at + d / 2]] = turned;
          }
        }
      }
    },
  };
}
