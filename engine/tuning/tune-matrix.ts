// A matrix of the model's width, and inputs for it. The model's own matrix may have more rows.
import {
  type Buffer,
  bytesPerRow,
  type Kernel,
  padded,
  referenceDot,
  referenceInput,
  type WeightFormat,
  weightContents,
} from "../../kernels/index.ts";
import type { Buffers } from "../gpu/buffers.ts";
import { type Dispatch, launch, type Pipelines, withRows } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { MainMatrix } from "../graph/layout.ts";
import { fillBuffer } from "./fill-buffer.ts";
import { INPUTS, type Place } from "./output-check.ts";
import { randomU32 } from "./random.ts";
import { rotate } from "./rotate.ts";
import type { Bench } from "./variant-bench.ts";

/** Rows of the input and of the matrix that differ: odd, so that they repeat in no step of a kernel. */
const DIFFERENT_ROWS = 11;
/** Of so many rows of outputs some are compared with plain TypeScript in each; of more, in three. */
const SAMPLED_ROWS = 8;
/**
 * Outliers of an input, as the massive activations of Mistral-size models: each in four columns side by side,
 * as kernels add up four products at a time.
 */
const OUTLIERS = [1e3, -1e4, 2e4] as const;

type Size = { readonly T: number };

/** A matrix [N, K], and the kernels that multiply with it. */
export interface MatrixCase {
  readonly format: WeightFormat;
  readonly N: number;
  readonly K: number;
  /** Whether the kernels normalise their input. */
  readonly normed: boolean;
  readonly variants: readonly string[];
  readonly rowCounts: readonly number[];
  /** Bytes of weights that batches go round. */
  readonly rotatedBytes: number;
  /**
   * What a variant launches for a number of rows, in order. Bindings of one name share a buffer, so a kernel
   * may prepare the input of the next.
   */
  kernels(variant: string, rows: number): readonly (readonly [kernel: Kernel<Size>, size: Size])[];
  rounds(variant: string): boolean;
}

/** Makes and fills the buffers of a matrix. @throws DeviceError if there is no room for them */
export async function openMatrix(
  gpu: Gpu,
  pipelines: Pipelines,
  made: Buffers,
  matrix: MatrixCase,
): Promise<Bench> {
  const { format, N, K, normed, rowCounts } = matrix;
  const host = contents(matrix);
  const lengths = bindingLengths(matrix);
  const make = (name: string, data?: Buffer): GPUBuffer => {
    const buffer = made.storage(`tuning ${name}`, lengths.get(name)!);
    if (data) fillBuffer(gpu.device, buffer, data);
    return buffer;
  };
  const weights = await rotate(gpu, matrix.rotatedBytes, () => ({
    weight: make("weight", host.weight),
    ...(lengths.has("scale") && { scale: make("scale", host.scale) }),
  }));
  const inputs = host.inputs.map((x) => make("x", x));
  const others = [...lengths.keys()].filter((name) => !["x", "weight", "scale"].includes(name));
  const shared = Object.fromEntries(
    others.map((name) => [name, make(name, name === "gain" ? host.gain : undefined)]),
  );
  return {
    rowCounts,
    outputs: shared["y"]!,
    width: N,
    stride: padded(N),
    sets: Math.max(INPUTS, weights.length),
    rounds: matrix.rounds,
    prepare(variant, rows, set): Promise<Dispatch[]> {
      const buffers: Record<string, GPUBuffer> = {
        ...shared,
        ...weights[set % weights.length],
        x: inputs[set % INPUTS]!,
      };
      return Promise.all(
        matrix.kernels(variant, rows).map(async ([kernel, size]) => {
          const bound = kernel.bindings(size).map(({ name }) => buffers[name]!);
          return withRows(await pipelines.prepare(launch(kernel, size, ...bound)), rows);
        }),
      );
    },
    sampled(rows) {
      const some =
        rows <= SAMPLED_ROWS ? Array.from({ length: rows }, (_, row) => row) : [0, rows >> 1, rows - 1];
      return some.flatMap((row) => [0, N >> 1, N - 1].map((column): Place => [row, column]));
    },
    plain(input, [row, column]) {
      const gain = normed ? host.gain : undefined;
      const x = referenceInput({ T: 1, K }, row % DIFFERENT_ROWS, host.inputs[input]!, gain);
      return referenceDot(format, [host.weight, host.scale], column % DIFFERENT_ROWS, x);
    },
  };
}

/** Words of each buffer: the most that a variant binds under the name. */
function bindingLengths({ variants, rowCounts, kernels }: MatrixCase): Map<string, number> {
  const lengths = new Map<string, number>();
  const all = variants.flatMap((variant) => rowCounts.flatMap((rows) => kernels(variant, rows)));
  for (const [kernel, size] of all) {
    for (const { name, length } of kernel.bindings(size))
      lengths.set(name, Math.max(length, lengths.get(name) ?? 0));
  }
  return lengths;
}

/** DIFFERENT_ROWS rows of weights and of each input, and a gain. Random; inputs are 0 from K on. */
function contents({ format, K }: MatrixCase) {
  const random = randomU32();
  const uniform = () => random() / 2 ** 31 - 1;
  const stride = padded(K);
  const row = () => Float32Array.from({ length: stride }, (_, k) => (k < K ? uniform() : 0));
  const rows = Array.from({ length: DIFFERENT_ROWS }, row);
  const weight = weightContents(format, DIFFERENT_ROWS, stride, "weight", random)!;
  const scale = weightContents(format, DIFFERENT_ROWS, stride, "scale", random) ?? new Uint32Array();
  const flat = (all: readonly Float32Array[]) => {
    const joined = new Float32Array(all.length * stride);
    for (const [i, each] of all.entries()) joined.set(each, i * stride);
    return joined;
  };
  const withOutliers = rows.map((each, t) => {
    const some = each.slice();
    OUTLIERS.forEach((outlier, i) => {
      const first = (4 * (7 * t + 5 * i) + Math.floor((i * K) / OUTLIERS.length)) % K;
      for (let k = first; k < Math.min(first + 4, K); k++) some[k] = outlier;
    });
    return some;
  });
  return { weight, scale, gain: row(), inputs: [flat(rows), flat(withOutliers)] };
}

/** Rows of a matrix that are measured: as many as `bytes` hold, but enough to keep a GPU busy. */
export const measuredRows = ({ format, N, K }: MainMatrix, bytes: number): number =>
  Math.min(N, Math.max(256, Math.floor(bytes / bytesPerRow(format, K))));
