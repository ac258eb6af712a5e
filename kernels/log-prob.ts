import { padded } from "./formats/format.ts";
import type { Kernel } from "./kernel.ts";
import shader from "./log-prob.wgsl?raw";
import ordered from "./snippets/ordered.wgsl?raw";
import sum from "./snippets/sum.wgsl?raw";
import winner from "./snippets/winner.wgsl?raw";

export interface LogProbSize {
  T: number;
  V: number;
}

/** Id for tokens whose log-probability is not wanted. The results are 0. */
export const NO_TARGET = 0xffffffff;

/** Likeliest tokens that a row may have. */
export const MAX_LIKELIEST = 5;

/** Width of a row of results: the target, then the likeliest tokens. */
export const LOG_PROB_RESULTS = 1 + MAX_LIKELIEST;

/**
 * Natural log-probabilities of T target ids under the softmax of T rows of logits, and their ranks; after
 * them log-probabilities and ids of the likeliest tokens, as many as the row wants, at most V. Of equal
 * logits the lower id comes first. Results that are not wanted are not written.
 */
export const logProb: Kernel<LogProbSize> = {
  name: "log_prob",
  source: [shader, ordered, sum, winner],
  cpu: { op: "log_prob", results: LOG_PROB_RESULTS },
  testSizes: [
    { T: 3, V: 257 },
    { T: 4, V: 1 },
    { T: 9, V: 5 },
    { T: 7, V: 2050 },
    { T: 2, V: 32000 },
  ],
  bindings: ({ T, V }) => [
    { name: "logits", type: "f32", length: T * padded(V) },
    { name: "targets", type: "u32", length: 2 * T },
    { name: "log_probs", type: "f32", length: T * LOG_PROB_RESULTS, writes: true },
    { name: "tokens", type: "u32", length: T * LOG_PROB_RESULTS, writes: true },
  ],
  constants: ({ V }) => ({ V, STRIDE: padded(V), RESULTS: LOG_PROB_RESULTS }),
  workgroups: ({ T }) => [T],
  fill({ T, V }, name, random) {
    // Odd rows have ties, some of them between 0 and -0.
    if (name === "logits")
      return Float32Array.from({ length: T * padded(V) }, (_, i) => {
        const x = (random() / 2 ** 32) * 30 - 10;
        return Math.floor(i / padded(V)) % 2 === 1 ? Math.round(x / 8) : x;
      });
    if (name === "targets") {
      const target = (t: number) => (t === 1 ? NO_TARGET : random() % V);
      return Uint32Array.from({ length: 2 * T }, (_, i) =>
        i % 2 === 0 ? target(i / 2) : Math.min(V, ((T - 1 - (i >> 1)) * MAX_LIKELIEST) % (MAX_LIKELIEST + 1)),
      );
    }
    return undefined;
  },
  reference({ T, V }, logits, targets, logProbs, tokens) {
    for (let t = 0; t < T; t++) {
      const row = Array.from(logits.subarray(t * padded(V), t * padded(V) + V));
      const [id, wanted] = [targets[2 * t]!, targets[2 * t + 1]!];
      const first = t * LOG_PROB_RESULTS;
      if (id >= V) {
        logProbs[first] = tokens[first] = 0;
        continue;
      }
      const best = row.reduce((a, b) => Math.max(a, b));
      const logSum = best + Math.log(row.reduce((total, x) => total + Math.exp(x - best), 0));
      const ids = [...row.keys()].sort((a, b) => row[b]! - row[a]! || a - b);
      for (const [k, each] of [id, ...ids.slice(0, wanted)].entries()) {
        logProbs[first + k] = row[each]! - logSum;
        tokens[first + k] = k === 0 ? 1 + ids.indexOf(id) : each;
      }
    }
  },
};
