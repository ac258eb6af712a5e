// `npm run bench -- full-size-cpu [--layers N] [--threads N]`: writes a GGUF file in Q4_0 with Mistral 7B's
// exact shapes (32 layers: 4.1 GB), loads it on the CPU and then on lavapipe, each in a process of its own,
// and compares their speeds. The process on the CPU may take as much memory as the weights and 600 MiB.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findDrivers } from "../../scripts/drivers.mjs";
import { parametersOf, tensorsOf } from "./mistral.mjs";
import { runInChild } from "./peers/child.mjs";
import { writeGguf } from "./peers/gguf.mjs";
import { repeatedBlocks } from "./random-weights.mjs";
import { temporaryFolder } from "./temporary-folder.mjs";

const MAX_OTHER_BYTES = 600 * 2 ** 20;
const GOAL = 10;
/** Bits of a weight in Q4_0. */
const BITS = 4.5;
const PROMPT = [1, 415, 5059, 349, 272, 1080, 302, 264];

const { values: options } = parseArgs({
  args: process.argv.slice(3),
  options: {
    layers: { type: "string", default: "32" },
    threads: { type: "string", default: "2" },
    decode: { type: "string", default: "8" },
    folder: { type: "string", default: tmpdir() },
  },
});
const [L = 0, threads = 0, steps = 0] = [options.layers, options.threads, options.decode].map(Number);
if (![L, threads, steps].every((n) => Number.isInteger(n) && n >= 1) || L > 32) {
  console.error(
    "npm run bench -- full-size-cpu [--layers 1 … 32] [--threads N] [--decode TOKENS] [--folder WHERE IT MAY BE WRITTEN]",
  );
  process.exit(2);
}

const mebibytes = (/** @type {number} */ bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

const shape = { L, D: 4096, H: 32, G: 8, d: 128, F: 14336, V: 32000, W: 4096 };
const parameters = parametersOf(tensorsOf(shape));
const file = join(temporaryFolder(options.folder, (parameters * BITS) / 8), "model.gguf");
writeGguf(file, shape, "Q4_0", repeatedBlocks());
console.log(
  `Mistral 7B's shapes with ${L} of 32 layers, ${(parameters / 1e9).toFixed(2)} G parameters in Q4_0; ` +
    `prompt ${PROMPT.length}, decode ${steps}`,
);

const cpu = await measure({ adapter: "cpu", threads }, {});
const { drivers } = await findDrivers();
const lavapipe = drivers.find(({ name }) => name === "lavapipe");
const beside = lavapipe && (await measure({}, lavapipe.env));

const bound = cpu.weightBytes + MAX_OTHER_BYTES;
const kept = cpu.peakBytes <= bound;
console.log(
  `${kept ? "" : "BROKEN "}memory of the whole process: at most ${mebibytes(cpu.peakBytes)}, ` +
    `weights ${mebibytes(cpu.weightBytes)} (bound: ${mebibytes(bound)})`,
);
if (beside) {
  console.log(`decode: ${(cpu.decode / beside.decode).toFixed(1)} x lavapipe's (goal: ${GOAL} x)`);
  // Activations of 8 bits on the CPU, floats on lavapipe: with random weights ids differ sooner or later.
  const differs = cpu.ids.findIndex((id, i) => id !== beside.ids[i]);
  console.log(`ids: the first ${differs < 0 ? cpu.ids.length : differs} of ${cpu.ids.length} are the same`);
} else console.log("lavapipe is not installed, so there is nothing to compare with");
if (!kept) process.exitCode = 1;

/** @param {{ adapter?: string, threads?: number }} device @param {Record<string, string>} env */
async function measure(device, env) {
  const task = { file, device, prompt: PROMPT, steps };
  /** @type {Promise<import("./full-size-run.mjs").Run>} */
  const running = runInChild("../full-size-run.mjs", task, env, new AbortController().signal);
  const run = await running;
  console.log(
    `${run.adapter}: loaded as ${run.weights} in ${run.loadSeconds.toFixed(1)} s, ` +
      `prefill ${run.prefill.toFixed(2)}, decode ${run.decode.toFixed(2)} tokens/s, ids ${run.ids.join(" ")}`,
  );
  return run;
}
