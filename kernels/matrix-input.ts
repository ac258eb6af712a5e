// What the matrix-vector kernels share: their input, plain or under RMSNorm, and the plain TypeScript of both.

import { padded, type WeightFormat } from "./formats/format.ts";
import type { Binding, Buffer } from "./kernel.ts";
import workgroupTeam from "./snippets/dot-rows.wgsl?raw";
import laneTeam from "./snippets/dot-rows-lane.wgsl?raw";
import dot8 from "./snippets/dot8.wgsl?raw";
import norm from "./snippets/input-norm.wgsl?raw";
import plain from "./snippets/input-plain.wgsl?raw";

/**
 * Who adds up a dot product: a whole workgroup reads a row together, for GPUs; or every thread its own rows, for software
 * drivers, where a barrier costs more than scattered reads.
 */
export type Team = "workgroup" | "lane";

/** Rows of the weight that a team takes at once, as in snippets/dot-rows.wgsl. */
export const ROWS = 4;

/** Workgroups for so many teams. */
export const teamGroups = (teams: number, team: Team): number =>
  Math.ceil(teams / (team === "lane" ? 64 : 1));

/** Tells a variant's name from those of the other format, input and team. */
export const matrixVariant = (format: WeightFormat, team: Team, input: "plain" | "norm" = "plain"): string =>
  [format.name, ...(input === "norm" ? ["norm"] : []), ...(team === "lane" ? ["lane"] : [])].join("_");

export interface InputSize {
  T: number;
  /** Width of the input; stored padded to a multiple of 32. */
  K: number;
  eps?: number;
}

export const matrixSource = (format: WeightFormat, team: Team, input: "plain" | "norm"): string[] => [
  team === "lane" ? laneTeam : workgroupTeam,
  dot8,
  input === "norm" ? norm : plain,
  format.source,
];

export const inputBindings = ({ T, K }: InputSize, input: "plain" | "norm"): Binding[] => [
  { name: "x", slot: 0, type: "f32", length: T * padded(K) },
  ...(input === "norm" ? [{ name: "gain", slot: 1, type: "f32", length: padded(K) } as const] : []),
];

export const inputConstants = ({ K, eps }: InputSize, input: "plain" | "norm"): Record<string, number> => ({
  K: padded(K),
  ...(input === "norm" ? { D: K, EPS: eps ?? 1e-5 } : {}),
});

/** x and gain are zero from K on. */
export function inputContents({ T, K }: InputSize, name: string, random: () => number): Buffer | undefined {
  if (name !== "x" && name !== "gain") return undefined;
  const stride = padded(K);
  const length = name === "x" ? T * stride : stride;
  return Float32Array.from({ length }, (_, i) => (i % stride < K ? random() / 2 ** 31 - 1 : 0));
}

/** Row t of the input, normalised where there is a gain. */
export function referenceInput({ K, eps = 1e-5 }: InputSize, t: number, x: Buffer, gain?: Buffer): number[] {
  const row = Array.from({ length: K }, (_, k) => x[t * padded(K) + k]!);
  if (!gain) return row;
  const scale = 1 / Math.sqrt(row.reduce((sum, v) => sum + v * v, 0) / K + eps);
  return row.map((v, k) => v * scale * gain[k]!);
}

/** sum_k weight[n, k] * input[k]. */
export function referenceDot(
  format: WeightFormat,
  weight: readonly Buffer[],
  n: number,
  input: readonly number[],
): number {
  const stride = padded(input.length);
  return input.reduce((sum, v, k) => sum + format.at(weight, n * stride + k, stride) * v, 0);
}
