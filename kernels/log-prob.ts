import { padded } from "./formats/format.ts";
import type { Kernel, ShaderFile } from "./kernel.ts";
import sum from "./snippets/sum.wgsl?raw";

export interface LogProbSize {
  T: number;
  V: number;
}

/** Id for tokens whose log-probability is not wanted. The result is 0. */
export const NO_TARGET = 0xffffffff;

/** Most pages never score a text. */
const logProbShader: ShaderFile = async () => (await import("./log-prob.wgsl?raw")).default;

/** Natural log-probabilities of T target ids under the softmax of T rows of logits. */
export const logProb: Kernel<LogProbSize> = {
  name: "log_prob",
  source: [logProbShader, sum],
  testSizes: [
    { T: 3, V: 257 },
    { T: 4, V: 1 },
    { T: 9, V: 5 },
    { T: 2, V: 32000 },
  ],
  bindings: ({ T, V }) => [
    { name: "logits", type: "f32", length: T * padded(V) },
    { name: "ids", type: "u32", length: T },
    { name: "out", type: "f32", length: T, writes: true },
  ],
  constants: ({ V }) => ({ V, STRIDE: padded(V) }),
  workgroups: ({ T }) => [T],
  fill({ T, V }, name, random) {
    if (name === "logits")
      return Float32Array.from({ length: T * padded(V) }, () => (random() / 2 ** 32) * 30 - 10);
    if (name === "ids")
      return Uint32Array.from({ length: T }, (_, t) => (t === 1 ? NO_TARGET : random() % V));
    return undefined;
  },
  reference({ T, V }, logits, ids, out) {
    for (let t = 0; t < T; t++) {
      const row = Array.from(logits.subarray(t * padded(V), t * padded(V) + V));
      const best = row.reduce((a, b) => Math.max(a, b));
      const sum = row.reduce((total, x) => total + Math.exp(x - best), 0);
      out[t] = ids[t]! < V ? row[ids[t]!]! - best - Math.log(sum) : 0;
    }
  },
};
