// Runs engines in turns.
import { measureInChild, runInChild } from "./child.mjs";
import { install } from "./install.mjs";

/** @typedef {import("./engines.mjs").Engine} Engine */
/** @typedef {import("./child.mjs").Reading} Reading */
/**
 * @typedef {object} Measured
 * @property {string} installed folder of its package; empty: none
 * @property {Reading[]} readings
 * @property {string[]} problems
 */
/**
 * Engines that are compared with the first.
 * @typedef {object} Comparison
 * @property {number} [threads] on the CPU
 * @property {number[]} bandwidths bytes/s that plain loops read on these threads, one a round
 * @property {(Engine & Measured)[]} engines
 */

/**
 * Installs what the engines need. One that cannot be installed has a problem.
 * @param {Engine[]} engines @param {AbortSignal} signal
 * @returns {Promise<(Engine & Measured)[]>}
 */
export async function prepare(engines, signal) {
  const prepared = [];
  for (const engine of engines) {
    /** @type {string[]} */
    const problems = [];
    const needsNothing = Object.keys(engine.packages).length === 0;
    const installed = needsNothing
      ? ""
      : await install(engine.script.slice(2, -4), engine.packages, signal).catch((error) => {
          problems.push(`${engine.name} could not be installed. ${error.message}`);
          return "";
        });
    prepared.push({ ...engine, installed, problems, readings: [] });
  }
  return prepared;
}

/**
 * One run of every engine. One that fails has a problem, and does not run again.
 * @param {Comparison} comparison
 * @param {Omit<import("./child.mjs").Task, "file" | "installed" | "threads">} task
 * @param {AbortSignal} signal
 */
export async function runRound({ threads, bandwidths, engines }, task, signal) {
  if (threads) bandwidths.push(await runInChild("./bandwidth.mjs", { threads }, {}, signal));
  for (const { name, script, file, installed, env, readings, problems } of engines) {
    if (problems.length > 0) continue;
    console.error(`${name}${threads ? `, threads: ${threads}` : ""} ...`);
    try {
      const reading = await measureInChild(script, { ...task, file, installed, threads }, env, signal);
      readings.push(reading);
      console.error(`  prefill ${reading.prefill.toFixed(2)}, decode ${reading.decode.toFixed(2)} tokens/s`);
    } catch (error) {
      problems.push(`${name} did not run. ${/** @type {Error} */ (error).message}`);
      console.error(`  ${problems.at(-1)}`);
    }
  }
}
