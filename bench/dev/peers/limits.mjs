// What the figures of engines on the CPU mean: the share of the memory's bandwidth that decode reaches, and
// whether Sirocco reaches its goals.
import { parametersOf, tensorsOf } from "../mistral.mjs";
import { rates } from "./table.mjs";

/** Bits of a weight in q4 and in Q4_0, with its part of a scale of 16 bits for 32 weights. */
const BITS = 4.5;

const gigabytes = (/** @type {number} */ bytes) => `${(bytes / 1e9).toFixed(1)} GB`;

/**
 * @param {import("./rounds.mjs").Comparison} comparison ours first
 * @param {import("./model.mjs").Shape} shape
 * @returns {string[]} lines
 */
export function limits({ bandwidths, engines }, shape) {
  const [ours, ...others] = engines;
  if (!ours || ours.readings.length === 0 || bandwidths.length === 0) return [];
  // Of the embedding a token needs one row.
  const read = tensorsOf(shape).filter(({ name }) => !name.includes("embed_tokens"));
  const bytes = (parametersOf(read) * BITS) / 8;
  const best = Math.max(...bandwidths);
  const rate = bytes * rates(ours, "decode").median;
  return [
    `plain loops on these threads read ${gigabytes(best)}/s (most of all rounds)`,
    `decode: ${(bytes / 1e6).toFixed(1)} MB of weights a token, ${gigabytes(rate)}/s, ${((100 * rate) / best).toFixed(0)} % of that`,
    ...others.flatMap((other) => {
      if (!other.goal || other.readings.length === 0) return [];
      const { goal } = other;
      const parts = /** @type {const} */ (["prefill", "decode"]).map((phase) => {
        const ratio = rates(ours, phase).median / rates(other, phase).median;
        const text = `${phase} ${ratio.toFixed(2)} x (goal: ${goal[phase]} x)`;
        return ratio < goal[phase] ? `${text}, MISSED` : text;
      });
      return [`beside ${other.name}: ${parts.join("; ")}`];
    }),
  ];
}
