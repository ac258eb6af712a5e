// LoRA adapters in the lists of forward.ts: two launches before each adapted matrix, which give the gain and
// the delta of each token to the matrix kernel; or two after it, which change its result. A lazy chunk: lists
// without adapters have none of this.
import { loraA, loraB, loraLookup, MAX_TOGETHER, padded } from "../../kernels/index.ts";
import { type Launch, launch } from "../gpu/dispatch.ts";
import type { AdaptedRole, AdapterPass } from "./adapted.ts";
import type { Shape } from "./shape.ts";

/**
 * A matrix of the model with the adapters of all slots, in f32. Matrices that are one on the GPU share the
 * input, so their A are one below the other. An adapter without this matrix has zeros.
 */
export interface AdaptedMatrix {
  /** Rows and columns of the matrix. */
  readonly N: number;
  readonly K: number;
  /** Rank of each of the matrices in it, padded; and that of all together. */
  readonly R: number;
  readonly M: number;
  /** [slots, M, K]; of the embedding [slots, V, M]. */
  readonly a: GPUBuffer;
  /** [slots, N, R], the adapter's scale included. Rows in the order of the matrix on the GPU. */
  readonly b: GPUBuffer;
  /** [slots, N]: 1, or of DoRA the magnitude of the row by its norm. */
  readonly gains: GPUBuffer;
  /** u32 [N]: the block of R entries of `h` that a row reads. */
  readonly blocks: GPUBuffer;
}

/** What adapters have on the GPU. */
export interface AdapterWeights {
  readonly slots: number;
  /** u32 [rings, USE_WORDS]: the adapters of each ring. */
  readonly uses: GPUBuffer;
  /** The matrices that an adapter has, by layer; those outside of layers have none. */
  readonly matrices: readonly {
    readonly role: AdaptedRole;
    readonly layer: number | undefined;
    readonly matrix: AdaptedMatrix;
  }[];
}

/** Buffers that a pass works in. */
export interface AdapterScratch {
  /** [T, MAX_TOGETHER, M] */
  readonly h: GPUBuffer;
  /** [T, N, 2] gain and delta. */
  readonly delta: GPUBuffer;
}

/** Words of the scratch buffers of T tokens. */
export function adapterScratch(
  { matrices }: AdapterWeights,
  T: number,
): Record<keyof AdapterScratch, number> {
  const most = (of: (matrix: AdaptedMatrix) => number, among = matrices) =>
    among.reduce((max, { matrix }) => Math.max(max, of(matrix)), 1);
  const added = matrices.filter(({ layer }) => layer !== undefined);
  return { h: T * MAX_TOGETHER * most(({ M }) => M), delta: 2 * T * most(({ N }) => padded(N), added) };
}

/** @param rows those of the pass, u32 [T, 4] */
export function adapterPass(
  { B, eps }: Pick<Shape, "B" | "eps">,
  { slots, uses, matrices }: AdapterWeights,
  { h, delta }: AdapterScratch,
  rows: GPUBuffer,
): AdapterPass {
  const adapted = (role: AdaptedRole, layer: number | undefined) =>
    matrices.find((each) => each.role === role && each.layer === layer)?.matrix;
  const sizeOf = ({ M }: AdaptedMatrix, T: number) => ({ T, B, slots, M });

  const first = (matrix: AdaptedMatrix, T: number, [x, gain]: readonly [GPUBuffer, GPUBuffer?]): Launch => {
    const size = { ...sizeOf(matrix, T), K: matrix.K, eps };
    return gain
      ? launch(loraA("norm"), size, x, gain, rows, uses, matrix.a, h)
      : launch(loraA("plain"), size, x, rows, uses, matrix.a, h);
  };
  const second = (matrix: AdaptedMatrix, T: number, y: GPUBuffer): Launch => {
    const { N, R, b, gains, blocks } = matrix;
    return launch(loraB("in_place"), { ...sizeOf(matrix, T), N, R }, h, b, rows, uses, gains, blocks, y);
  };

  return {
    addend(role, layer, T, input, bias) {
      const matrix = adapted(role, layer);
      if (!matrix) return undefined;
      const { N, R, b, gains, blocks } = matrix;
      const kernel = loraB("addend", bias ? "bias" : "none");
      const biased = bias ? [bias] : [];
      const size = { ...sizeOf(matrix, T), N, R };
      return {
        before: [
          first(matrix, T, input),
          launch(kernel, size, h, b, rows, uses, gains, ...biased, blocks, delta),
        ],
        addend: delta,
      };
    },
    change(role, layer, T, input, y) {
      const matrix = adapted(role, layer);
      return matrix ? [first(matrix, T, input), second(matrix, T, y)] : [];
    },
    embed(T, x) {
      const matrix = adapted("embedTokens", undefined);
      if (!matrix) return [];
      const look = launch(loraLookup, { ...sizeOf(matrix, T), V: matrix.K }, rows, uses, matrix.a, h);
      return [look, second(matrix, T, x)];
    },
  };
}
