import { weightContents } from "./formats/contents.ts";
import { padded, type WeightFormat } from "./formats/format.ts";
import type { Kernel } from "./kernel.ts";
import source from "./matmul.wgsl?raw";
import laneSource from "./matmul-lane.wgsl?raw";
import { inputContents, matrixVariant, referenceDot, referenceInput, type Team } from "./matrix-input.ts";
import type { MatvecSize } from "./matvec.ts";
import dot8 from "./snippets/dot8.wgsl?raw";

/** Tokens and weight rows a workgroup computes at once. Buffers of a prefill pass hold whole tiles of tokens. */
export const TILE = 64;

const outputs = ({ N, N0 = 0, width = N0 + N }: MatvecSize): number => padded(width);
const tiles = (T: number): number => Math.ceil(T / TILE);
/** A lane's own tile is 4 tokens x 4 rows, of a workgroup's 64 lanes side by side. */
const LANE_TILE = 4;

/** A matrix times many tokens, in register-blocked tiles. */
export const matmul = (format: WeightFormat, team: Team): Kernel<MatvecSize> => ({
  name: "matmul",
  variant: matrixVariant(format, team),
  source: team === "lane" ? [laneSource, dot8, format.source] : [source, format.source],
  testSizes: [
    { T: 1, N: 1, K: 5 },
    { T: 67, N: 70, K: 37, N0: 5, width: 100, add: true },
    { T: 64, N: 129, K: 256 },
  ],
  bindings: (size) => [
    { name: "x", slot: 0, type: "f32", length: tiles(size.T) * TILE * padded(size.K) },
    { name: "y", slot: 1, type: "f32", length: tiles(size.T) * TILE * outputs(size), writes: true },
    ...format.bindings(size.N, padded(size.K)),
  ],
  constants: (size) => ({
    N: size.N,
    N0: size.N0 ?? 0,
    K: padded(size.K),
    Y_STRIDE: outputs(size),
    ADD: size.add ? 1 : 0,
  }),
  workgroups: ({ N, T }) =>
    team === "lane"
      ? [Math.ceil(N / (64 * LANE_TILE)), Math.ceil(T / LANE_TILE)]
      : [Math.ceil(N / TILE), tiles(T)],
  fill: (size, name, random) =>
    inputContents({ K: size.K, T: tiles(size.T) * TILE }, name, random) ??
    weightContents(format, size.N, padded(size.K), name, random),
  reference(size, x, y, ...weight) {
    const tile = team === "lane" ? LANE_TILE : TILE;
    for (let t = 0; t < Math.ceil(size.T / tile) * tile; t++) {
      const row = referenceInput(size, t, x);
      for (let n = 0; n < size.N; n++) {
        const at = t * outputs(size) + (size.N0 ?? 0) + n;
        y![at] = referenceDot(format, weight, n, row) + (size.add ? y![at]! : 0);
      }
    }
  },
});
