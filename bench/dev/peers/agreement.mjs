// Reads the same GGUF file with llama.cpp on the CPU and with Sirocco, gives both the same tokens, and
// compares the distributions after each.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runInChild } from "./child.mjs";
import { mixes, writeGguf } from "./gguf.mjs";

/**
 * @typedef {object} LogitsTask
 * @property {string} file the model
 * @property {string} installed folder of the engine's package
 * @property {number[]} ids
 * @property {number} V
 * @property {string} out the file to write
 */
/**
 * @typedef {object} Agreement
 * @property {number} same share of positions with the same likeliest token
 * @property {number} divergence mean of KL(llama.cpp ‖ Sirocco), in nats
 * @property {number} worst the largest of them
 * @property {number} likeliest mean probability of llama.cpp's likeliest token
 */

/**
 * What the engines must agree on. llama.cpp rounds the inputs of its products to 8 bits, which shows. Flat
 * distributions would agree whatever is computed.
 */
const LIMITS = { same: 0.99, divergence: 0.01, likeliest: 0.1 };

/**
 * @param {object} options
 * @param {import("./model.mjs").Shape} options.shape
 * @param {number[]} options.ids
 * @param {string} options.folder for files
 * @param {string} options.installed of node-llama-cpp
 * @param {Record<string, string>} options.env of Sirocco's driver
 * @param {AbortSignal} options.signal
 * @returns {Promise<{ lines: string[], problems: string[], results: Record<string, Agreement> }>}
 */
export async function agreement({ shape, ids, folder, installed, env, signal }) {
  const lines = [`the same GGUF file, ${ids.length} forced positions: Sirocco beside llama.cpp on the CPU`];
  /** @type {string[]} */
  const problems = [];
  /** @type {Record<string, Agreement>} */
  const results = {};
  for (const mix of mixes) {
    console.error(`agreement: ${mix} ...`);
    const file = join(folder, `agreement-${mix}.gguf`);
    writeGguf(file, shape, mix);
    const task = { file, installed, ids, V: shape.V };
    try {
      const theirs = await logitsOf(
        "./llama-cpp-logits.mjs",
        { ...task, out: join(folder, "theirs") },
        {},
        signal,
      );
      const ours = await logitsOf(
        "./sirocco-logits.mjs",
        { ...task, out: join(folder, "ours") },
        env,
        signal,
      );
      const found = compare(theirs, ours, shape.V);
      results[mix] = found;
      const { same, divergence, worst, likeliest } = found;
      const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(1)} %`;
      lines.push(
        `  ${mix.padEnd(6)}  same likeliest token ${percent(same)}, mean KL ${divergence.toExponential(2)} ` +
          `(largest ${worst.toExponential(2)}); it has ${percent(likeliest)} on average`,
      );
      if (likeliest < LIMITS.likeliest)
        problems.push(
          `${mix}: expected a likeliest token that stands out, got ${percent(likeliest)} on average.`,
        );
      if (same < LIMITS.same || !(divergence <= LIMITS.divergence))
        problems.push(
          `${mix}: expected the same token on ${percent(LIMITS.same)} of positions and a mean KL below ${LIMITS.divergence}.`,
        );
    } catch (error) {
      problems.push(`agreement, ${mix}: ${/** @type {Error} */ (error).message}`);
    }
  }
  return { lines, problems, results };
}

/**
 * @param {string} script @param {LogitsTask} task @param {Record<string, string>} env
 * @param {AbortSignal} signal
 */
async function logitsOf(script, task, env, signal) {
  await runInChild(script, task, env, signal);
  const { buffer, byteOffset, byteLength } = readFileSync(task.out);
  const logits = new Float32Array(buffer, byteOffset, byteLength / 4);
  if (logits.length !== task.ids.length * task.V)
    throw new Error(`${script}: expected ${task.ids.length * task.V} logits, got ${logits.length}`);
  return logits;
}

/** @param {Float32Array} theirs @param {Float32Array} ours @param {number} V @returns {Agreement} */
function compare(theirs, ours, V) {
  const rows = theirs.length / V;
  let [same, sum, worst, likeliest] = [0, 0, 0, 0];
  for (let row = 0; row < rows; row++) {
    const p = logProbs(theirs.subarray(row * V, (row + 1) * V));
    const q = logProbs(ours.subarray(row * V, (row + 1) * V));
    const best = p.indexOf(largest(p));
    if (best === q.indexOf(largest(q))) same++;
    likeliest += Math.exp(p[best] ?? 0);
    const divergence = p.reduce((total, value, i) => total + Math.exp(value) * (value - (q[i] ?? 0)), 0);
    sum += divergence;
    worst = Math.max(worst, divergence);
  }
  return { same: same / rows, divergence: sum / rows, worst, likeliest: likeliest / rows };
}

/** @returns {Float64Array} natural logarithms */
function logProbs(/** @type {Float32Array} */ logits) {
  const most = largest(logits);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - most), 0);
  return Float64Array.from(logits, (logit) => logit - most - Math.log(sum));
}

const largest = (/** @type {Float32Array | Float64Array} */ values) => {
  let most = -Infinity;
  for (const value of values) if (value > most) most = value;
  return most;
};
