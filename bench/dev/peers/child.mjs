// Measures an engine in a child process, so that it keeps no memory, threads or device while another engine
// runs. Both ends of that process.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * @typedef {object} Task
 * @property {string} file the model, in the engine's format
 * @property {string} config its config.json
 * @property {string} installed folder of the engine's package
 * @property {number | undefined} threads to compute with on the CPU; undefined: on the adapter
 * @property {import("./model.mjs").Shape} shape
 * @property {number[]} prompt
 * @property {number[]} warmup another prompt of the same length
 * @property {number} steps decode steps to measure
 */
/** @typedef {{ prefill: number, decode: number, ids: number[] }} Reading tokens/s, and the greedy ids */

const TIMEOUT_MS = 15 * 60_000;

/**
 * For the child: measures once and sends the result to the parent.
 * @template T, R
 * @param {(task: T) => Promise<R>} measure
 */
export async function answer(measure) {
  const reply = await measure(JSON.parse(process.argv[2] ?? "")).then(
    (reading) => ({ reading }),
    (/** @type {Error} */ error) => ({ error: error.message }),
  );
  // Exits at once: some engines keep the process alive, or crash when they are disposed of.
  process.send?.(reply, () => process.exit(0));
}

/**
 * For the parent: runs `script` in a child process.
 * @template R
 * @param {string} script @param {object} task @param {Record<string, string>} env @param {AbortSignal} signal
 * @returns {Promise<R>}
 */
export function runInChild(script, task, env, signal) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = fork(path, [JSON.stringify(task)], {
    env: { ...process.env, ...env },
    execArgv: [],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
    signal,
  });
  let noise = "";
  child.stderr?.on("data", (data) => {
    noise = (noise + data).slice(-500);
  });
  /** @type {{ reading?: R, error?: string }} */
  let reply = {};
  child.on("message", (/** @type {typeof reply} */ message) => {
    reply = message;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, killed) => {
      if (reply.reading) resolve(reply.reading);
      else reject(new Error(reply.error ?? `It ended with ${killed ?? code} and no answer. ${noise.trim()}`));
    });
  });
}

/**
 * For the parent: the speed of one engine.
 * @param {string} script @param {Task} task @param {Record<string, string>} env @param {AbortSignal} signal
 * @returns {Promise<Reading>}
 */
export const measureInChild = (script, task, env, signal) => runInChild(script, task, env, signal);
