import { type Addend, addendBindings, addendConstants, addendSource, withAddend } from "./addend.ts";
import { weightContents } from "./formats/contents.ts";
import { padded, type Rounding, type WeightFormat } from "./formats/format.ts";
import type { Kernel, Requirements, ShaderFile } from "./kernel.ts";
import tile from "./matmul.wgsl?raw";
import lane from "./matmul-lane.wgsl?raw";
import { inputBindings, inputContents, referenceDot, referenceInput } from "./matrix-input.ts";
import { type MatvecSize, outputPasses } from "./matvec.ts";
import { dequantized, quantizedBindings, quantizedContents } from "./quantize-input.ts";
import dot8 from "./snippets/dot8.wgsl?raw";
import elementPlain from "./snippets/element-plain.wgsl?raw";
import output from "./snippets/matmul-output.wgsl?raw";
import tileOutput from "./snippets/matmul-tile-output.wgsl?raw";
import tileF32 from "./snippets/tile-f32.wgsl?raw";
import { tunedShader } from "./tuned-shader.ts";

/**
 * Buffers of a prefill pass are padded to a multiple of this many tokens, the maximum that a variant computes
 * at once.
 */
export const TILE = 64;

interface Variant extends Requirements, Rounding {
  /** Tokens and weight rows that a workgroup computes. */
  readonly tile: readonly [tokens: number, rows: number];
  /** The variant's WGSL files. */
  readonly source: (format: WeightFormat) => readonly ShaderFile[];
}

const broadcasting = ({ wide }: WeightFormat) => [
  tunedShader("matmulBroadcast"),
  tunedShader("broadcast"),
  elementPlain,
  dot8,
  tunedShader("dot32"),
  ...wide,
];
const requires = ["subgroups"] as const;

const variants = {
  /** Runs everywhere. */
  tile: { tile: [64, 64], source: ({ source }) => [tile, tileF32, tileOutput, ...source] },
  tile_f16: {
    tile: [64, 64],
    source: ({ source }) => [tile, tunedShader("tileF16"), tileOutput, ...source],
    requires: ["shader-f16"],
    rounds: "f16",
  },
  tile_int8: {
    tile: [64, 64],
    source: ({ int8 }) => [tunedShader("matmulInt8"), tunedShader("dot16"), int8!.source],
    rounds: "int8",
  },
  lane: { tile: [4, 256], source: ({ source }) => [lane, dot8, ...source] },
  lane_broadcast4: { tile: [16, 512], source: broadcasting, requires, subgroupSize: 4 },
  lane_broadcast8: { tile: [16, 512], source: broadcasting, requires, subgroupSize: 8 },
} satisfies Record<string, Variant>;

/** Variants of a matrix times many tokens; docs/design/kernels.md has a table. */
export type MatmulVariant = keyof typeof variants;

export const matmulVariants: Readonly<Record<MatmulVariant, Variant>> = variants;

const outputs = ({ N, N0 = 0, width = N0 + N }: MatvecSize): number => padded(width);
const stored = (T: number): number => Math.ceil(T / TILE) * TILE;

/** A matrix times many tokens. */
export function matmul(
  format: WeightFormat,
  name: MatmulVariant,
  addend: Addend = "none",
): Kernel<MatvecSize> {
  const { tile, source, requires, subgroupSize, rounds } = matmulVariants[name];
  const [tokens, rows] = tile;
  const order = rounds === "int8" ? format.int8!.order : undefined;
  const input = ({ T, K }: MatvecSize) => ({ T: stored(T), K });
  return {
    name: "matmul",
    variant: [format.name, name, ...(addend === "none" ? [] : [addend])].join("_"),
    source: [output, addendSource(addend), ...source(format)],
    ...(requires && { requires }),
    ...(subgroupSize && { subgroupSize, prelude: () => ({ SUBGROUP: subgroupSize }) }),
    ...(order && { quantizedInput: order }),
    cpu: { op: "matvec", format: format.name, input: order ? "codes" : "plain", addend, many: true },
    // Sums near 0 keep the error of their parts: 2e-6 at K 256, and with inputs rounded to 2^-11 more.
    ...(rounds === "f16" ? { tolerance: 5e-3, floor: 1 } : { floor: 4e-3 }),
    testSizes:
      addend === "none"
        ? [
            { T: 1, N: 1, K: 5 },
            { T: 67, N: 70, K: 37, N0: 5, width: 100, add: true },
            { T: 64, N: 129, K: 256 },
          ]
        : [{ T: 67, N: 70, K: 37, N0: 5, width: 100, add: true }],
    bindings: (size) => [
      ...(order ? quantizedBindings(input(size), [0, 2]) : inputBindings(input(size), "plain")),
      {
        ...{ name: "y", slot: 1, type: "f32", writes: true },
        ...{ length: stored(size.T) * outputs(size), used: size.T * outputs(size) },
      },
      ...addendBindings(addend, stored(size.T), outputs(size)),
      ...format.bindings(size.N, padded(size.K)),
    ],
    constants: (size) => ({
      N: size.N,
      N0: size.N0 ?? 0,
      K: padded(size.K),
      Y_STRIDE: outputs(size),
      ADD: size.add ? 1 : 0,
      ...addendConstants(addend, outputs(size)),
    }),
    workgroups: ({ N, T }) => [Math.ceil(N / rows), Math.ceil(T / tokens)],
    cost: (size) => ({
      flops: 2 * size.T * size.N * size.K,
      passes: { ...outputPasses(size), addend: size.N / outputs(size) },
    }),
    fill: (size, name, random) =>
      (order ? quantizedContents(input(size), name, order) : inputContents(input(size), name, random)) ??
      weightContents(format, size.N, padded(size.K), name, random),
    reference(size, x, ...buffers) {
      const groups = order && buffers.shift();
      const [y, ...weight] = buffers;
      const added = addend === "none" ? undefined : weight.shift();
      for (let t = 0; t < size.T; t++) {
        const row = order ? dequantized(size, t, x!, groups!, order) : referenceInput(size, t, x!);
        for (let n = 0; n < size.N; n++) {
          const at = t * outputs(size) + (size.N0 ?? 0) + n;
          const product = referenceDot(format, weight, n, row);
          const sum = withAddend(addend, added, { entry: at, stride: outputs(size), product });
          y![at] = sum + (size.add ? y![at]! : 0);
        }
      }
    },
  };
}
