// The matrices of several adapters in one, in the order of rows that the model's matrix has on the GPU.
import { padded } from "../../kernels/index.ts";
import type { Adapter, AdapterMatrix, ModelConfig, TensorRole } from "../../weights/index.ts";
import type { AdaptedRole } from "../graph/adapted.ts";
import type { AdaptedMatrix } from "../graph/adapter-pass.ts";
import type { MatrixLayout } from "../graph/layout.ts";

/** Ranks are padded to a power of two from here on, so that few pipelines serve all. */
const LEAST_RANK = 8;

/** A matrix of the model. */
interface Site {
  readonly role: AdaptedRole;
  readonly layer: number | undefined;
  readonly matrix: MatrixLayout;
  /** The role of each checkpoint tensor in it. */
  readonly roleOf: (tensor: string) => TensorRole;
}

/** See AdaptedMatrix. */
type Stacked = Pick<AdaptedMatrix, "N" | "K" | "R" | "M"> & {
  readonly [Name in "a" | "b" | "gains"]: Float32Array<ArrayBuffer>;
} & {
  readonly blocks: Uint32Array<ArrayBuffer>;
  /** [adapters, N] 1: a row of DoRA, and `gains` has its magnitude. */
  readonly dora: Uint32Array<ArrayBuffer>;
};

/** Rows [at, at + rows) of the matrix on the GPU, which are rows from `row` on of a tensor of this role. */
interface Rows {
  readonly role: TensorRole;
  readonly row: number;
  readonly rows: number;
  readonly at: number;
}

/** @returns undefined if no adapter has the matrix */
export function stackAdapters(
  site: Site,
  adapters: readonly Adapter[],
  { V, D }: ModelConfig,
): Stacked | undefined {
  const ofEmbedding = site.role === "embedTokens";
  // What an adapter adds to the embedding has a row for each entry of an embedded token.
  const rows: readonly Rows[] = ofEmbedding
    ? [{ role: "embedTokens", row: 0, rows: D, at: 0 }]
    : rowsOf(site);
  const roles = [...new Set(rows.map(({ role }) => role))];
  const parts = adapters.map((adapter) => roles.map((role) => adapter.matrix(role, site.layer)));
  const rank = Math.max(0, ...parts.flat().map((part) => part?.rank ?? 0));
  if (rank === 0) return undefined;
  const R = Math.max(LEAST_RANK, 2 ** Math.ceil(Math.log2(rank)));
  const M = roles.length * R;
  const N = rows.reduce((sum, each) => sum + each.rows, 0);
  const K = ofEmbedding ? V : site.matrix.K;
  const stride = ofEmbedding ? V : padded(K);
  const stacked: Stacked = {
    ...{ N, K, R, M },
    a: new Float32Array(adapters.length * M * stride),
    b: new Float32Array(adapters.length * N * R),
    gains: new Float32Array(adapters.length * N).fill(1),
    blocks: new Uint32Array(N),
    dora: new Uint32Array(adapters.length * N),
  };
  for (const { role, rows: count, at } of rows) stacked.blocks.fill(roles.indexOf(role), at, at + count);
  for (const [slot, ofAdapter] of parts.entries()) {
    for (const [block, part] of ofAdapter.entries()) {
      if (!part) continue;
      if (ofEmbedding) putTransposed(stacked, slot, part);
      else putA(stacked, slot * M + block * R, stride, part);
      putB(
        stacked,
        slot,
        part,
        rows.filter(({ role }) => role === roles[block]),
      );
    }
  }
  return stacked;
}

function rowsOf({ matrix, roleOf }: Site): Rows[] {
  let before = 0;
  return matrix.parts.flatMap(({ rows, ranges }) => {
    const start = before;
    before += rows;
    return ranges.map((range) => ({ ...range, role: roleOf(range.tensor), at: start + range.at }));
  });
}

/** Puts A [rank, K] into the rows from `row` on. */
function putA({ a, K }: Stacked, row: number, stride: number, part: AdapterMatrix): void {
  for (let m = 0; m < part.rank; m++) a.set(part.a.subarray(m * K, (m + 1) * K), (row + m) * stride);
}

/** Puts A [rank, V] of the embedding, a row for each token. */
function putTransposed({ a, K, M }: Stacked, slot: number, part: AdapterMatrix): void {
  for (let m = 0; m < part.rank; m++)
    for (let token = 0; token < K; token++) a[(slot * K + token) * M + m] = part.a[m * K + token]!;
}

/** Puts B [N, rank] times the adapter's scale, and DoRA's magnitudes. */
function putB(
  { b, gains, dora, N, R }: Stacked,
  slot: number,
  part: AdapterMatrix,
  rows: readonly Rows[],
): void {
  const { rank, scale, magnitude } = part;
  for (const { row, rows: count, at } of rows) {
    for (let i = 0; i < count; i++) {
      const to = slot * N + at + i;
      for (let m = 0; m < rank; m++) b[to * R + m] = scale * part.b[(row + i) * rank + m]!;
      if (!magnitude) continue;
      gains[to] = magnitude[row + i]!;
      dora[to] = 1;
    }
  }
}
