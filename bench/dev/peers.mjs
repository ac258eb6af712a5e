// `npm run bench -- peers`: compares Sirocco with other engines, in turns, on the same weights: with
// onnxruntime's WebGPU provider and llama.cpp's Vulkan backend on the same adapter or, with --cpu, with
// engines that compute on the CPU. The greedy ids must agree, which shows that all files are right. Then the
// distributions of Sirocco and llama.cpp for the same GGUF files.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findDrivers } from "../../scripts/drivers.mjs";
import { configOf, parametersOf, tensorsOf } from "./mistral.mjs";
import { agreement } from "./peers/agreement.mjs";
import { onAdapter, onThreads } from "./peers/engines.mjs";
import { writeGguf } from "./peers/gguf.mjs";
import { limits } from "./peers/limits.mjs";
import { shapes } from "./peers/model.mjs";
import { writeOnnx } from "./peers/onnx.mjs";
import { prepare, runRound } from "./peers/rounds.mjs";
import { writeCheckpoint } from "./peers/safetensors.mjs";
import { results, table, wrongAnswers } from "./peers/table.mjs";

const HELP = `npm run bench -- peers [options]

  --shape NAME     ${Object.keys(shapes).join(" or ")} (default quarter: Mistral at a quarter of its width, 174 M parameters)
  --cpu            engines that compute on the CPU, in place of those on an adapter
  --threads LIST   with --cpu: numbers of threads (default 1,2)
  --engines LIST   some of them only: names of files in bench/dev/peers, as llama-cpp,wllama
  --rounds N       runs of every engine, in turns (default 3); 0: only the distributions beside llama.cpp's
  --prompt N       tokens of the prompt (default 64)
  --decode N       decode steps (default 8; 32 with --cpu)
  --positions N    positions to compare with llama.cpp, 0: none (default 200)
  --adapter NAME   default, lavapipe or swiftshader (default: lavapipe if it is installed)
  --json FILE      also write the figures as JSON

The first run on a driver takes minutes to compile. Every run begins with one that is not measured.`;

const { values: options } = parseArgs({
  args: process.argv.slice(3),
  options: {
    shape: { type: "string", default: "quarter" },
    rounds: { type: "string", default: "3" },
    prompt: { type: "string", default: "64" },
    decode: { type: "string" },
    cpu: { type: "boolean" },
    threads: { type: "string", default: "1,2" },
    engines: { type: "string" },
    positions: { type: "string", default: "200" },
    adapter: { type: "string" },
    json: { type: "string" },
    help: { type: "boolean" },
  },
});

const version = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;
const LLAMA_CPP = "./llama-cpp.mjs";

const stop = new AbortController();
const folder = mkdtempSync(join(tmpdir(), "sirocco-peers-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    stop.abort();
    process.exit(130);
  });
}

if (options.help) console.log(HELP);
else {
  await main().catch((/** @type {Error} */ error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}

async function main() {
  const asked = settings();
  if (!asked) {
    console.error(HELP);
    process.exitCode = 2;
    return;
  }
  const { shape, rounds, positions } = asked;
  const driver = options.cpu ? cpuDriver() : await chooseDriver();
  const files = {
    safetensors: join(folder, "hf"),
    config: join(folder, "config.json"),
    gguf: join(folder, "model.gguf"),
    onnx: join(folder, "model.onnx"),
  };
  if (rounds > 0) {
    console.error("writing the models ...");
    if (!options.cpu) writeCheckpoint(files.safetensors, shape);
    writeFileSync(files.config, JSON.stringify(configOf(shape)));
    writeGguf(files.gguf, shape);
    writeOnnx(files.onnx, shape);
  }

  const comparisons = await compare(asked, files, driver);
  report(asked, comparisons, driver.adapter);
  const engines = comparisons.flatMap((comparison) => comparison.engines);
  const installed = engines.find(({ script }) => script === LLAMA_CPP)?.installed;
  const agreed =
    positions > 0 && installed
      ? await agreement({
          ...{ shape, folder, installed, env: driver.env, signal: stop.signal },
          ids: promptOf(positions, shape.V),
        })
      : undefined;
  if (agreed) console.log(`\n${agreed.lines.join("\n")}`);
  const problems = [...engines.flatMap((engine) => engine.problems), ...(agreed?.problems ?? [])];
  for (const problem of problems) console.log(`problem: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
  if (!options.json) return;
  const params = {
    adapter: driver.adapter,
    driver: driver.name,
    shape: options.shape,
    parameters: parametersOf(tensorsOf(shape)),
    prompt: asked.length,
    steps: asked.steps,
  };
  const page = {
    date: new Date().toISOString(),
    package: version,
    node: process.version,
    problems,
    results: comparisons.flatMap((comparison) => results(comparison, params)),
    bandwidths: comparisons.map(({ threads, bandwidths }) => ({ threads, bytesPerSecond: bandwidths })),
    agreement: agreed?.results,
  };
  writeFileSync(options.json, `${JSON.stringify(page, null, 2)}\n`);
}

/** The options as numbers and a shape, if all are valid. */
function settings() {
  const [length, steps] = [options.prompt, options.decode ?? (options.cpu ? "32" : "8")].map(positive);
  const rounds = options.rounds === "0" ? 0 : positive(options.rounds);
  const shape = shapes[options.shape];
  const positions = /^\d{1,3}$/.test(options.positions) ? Number(options.positions) : 500;
  const threads = options.threads.split(",").map((count) => positive(count) ?? 0);
  if (!shape || positions >= 500 || rounds === undefined || !length || !steps || threads.includes(0))
    return undefined;
  return length < 2 || length + steps >= 500
    ? undefined
    : { length, steps, rounds, shape, positions, threads };
}

/** @typedef {NonNullable<ReturnType<typeof settings>>} Settings */

/**
 * @param {Settings} settings @param {import("./peers/engines.mjs").Files} files
 * @param {{ name: string, env: Record<string, string> }} driver
 */
async function compare({ length, steps, rounds, shape, threads }, files, driver) {
  const groups = options.cpu
    ? threads.map((count) => ({ threads: count, engines: onThreads(version, files, count) }))
    : [{ engines: onAdapter(version, files, driver) }];
  const wanted = rounds === 0 ? [LLAMA_CPP] : options.engines?.split(",").map((name) => `./${name}.mjs`);
  /** @type {import("./peers/rounds.mjs").Comparison[]} */
  const comparisons = [];
  for (const { engines, ...group } of groups) {
    const some = engines.filter(({ script }) => !wanted || wanted.includes(script));
    comparisons.push({ ...group, bandwidths: [], engines: await prepare(some, stop.signal) });
  }
  const prompt = promptOf(length, shape.V);
  const { config } = files;
  const task = { shape, config, prompt, warmup: prompt.map((id) => (id + 1) % shape.V), steps };
  for (let round = 1; round <= rounds; round++) {
    console.error(`round ${round} of ${rounds}`);
    for (const comparison of comparisons) await runRound(comparison, task, stop.signal);
  }
  for (const { engines } of comparisons) {
    const [ours, ...others] = engines;
    if (!ours) continue;
    for (const other of others) other.problems.push(...new Set(wrongAnswers(ours, other, other.sureIds)));
  }
  return comparisons;
}

/**
 * @param {Settings} settings @param {import("./peers/rounds.mjs").Comparison[]} comparisons
 * @param {string} adapter
 */
function report({ length, steps, rounds, shape }, comparisons, adapter) {
  const parameters = parametersOf(tensorsOf(shape));
  const date = new Date().toISOString().slice(0, 10);
  console.log(
    `${adapter}, ${process.platform} ${process.arch}, node ${process.version}, ${date}\n` +
      `Mistral's shape "${options.shape}", ${(parameters / 1e6).toFixed(0)} M parameters`,
  );
  if (rounds === 0) return;
  console.log(`in 4 bits; prompt ${length}, decode ${steps}; median (least to most) of ${rounds} rounds`);
  for (const comparison of comparisons) {
    if (comparison.threads) console.log(`\nthreads: ${comparison.threads}`);
    console.log(`\n${[table(comparison.engines), ...limits(comparison, shape)].join("\n")}`);
  }
}

function positive(/** @type {string} */ text) {
  return /^[1-9]\d*$/.test(text) ? Number(text) : undefined;
}

/** The beginning-of-sequence token, then ordinary ones. */
function promptOf(/** @type {number} */ length, /** @type {number} */ V) {
  let state = 1;
  return Array.from({ length }, (_, i) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return i === 0 ? 1 : 259 + ((state >>> 8) % (V - 260));
  });
}

/** In place of a driver: the processor, and how busy it is. */
function cpuDriver() {
  const [load = 0] = loadavg();
  const adapter = `${cpus()[0]?.model.trim()}, ${cpus().length} cores, load ${load.toFixed(1)} at the start`;
  return { name: "cpu", adapter, env: { SIROCCO_ADAPTER: "cpu" } };
}

async function chooseDriver() {
  const { drivers } = await findDrivers();
  const wanted = options.adapter ?? "lavapipe";
  const driver = drivers.find(({ name }) => name === wanted) ?? (options.adapter ? undefined : drivers[0]);
  if (driver) return driver;
  const names = drivers.map(({ name }) => name).join(", ");
  throw new Error(`--adapter: expected one of ${names || "none, as no adapter answers"}, got ${wanted}.`);
}
