// The input of the matrix kernels, plain or under RMSNorm, and their products in plain TypeScript.
import { padded, type WeightFormat } from "./formats/format.ts";
import type { Binding, Buffer } from "./kernel.ts";

export interface InputSize {
  T: number;
  /** Width of the input, stored padded to a multiple of 32. */
  K: number;
  eps?: number;
}

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

/** Row t of the input, normalised if there is a gain. */
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
