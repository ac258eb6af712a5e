// `npm run bench -- peers`: compares Sirocco with onnxruntime's WebGPU provider and llama.cpp's Vulkan
// backend, in turns, on the same adapter and the same weights. The greedy ids must agree, which shows that
// all files are right. Then the distributions of Sirocco and llama.cpp for the same GGUF files.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findDrivers } from "../../scripts/drivers.mjs";
import { parametersOf, tensorsOf } from "./mistral.mjs";
import { agreement } from "./peers/agreement.mjs";
import { measureInChild } from "./peers/child.mjs";
import { writeGguf } from "./peers/gguf.mjs";
import { install } from "./peers/install.mjs";
import { shapes } from "./peers/model.mjs";
import { writeOnnx } from "./peers/onnx.mjs";
import { writeCheckpoint } from "./peers/safetensors.mjs";
import { results, table, wrongAnswers } from "./peers/table.mjs";

const HELP = `npm run bench -- peers [options]

  --shape NAME     ${Object.keys(shapes).join(" or ")} (default quarter: Mistral at a quarter of its width, 174 M parameters)
  --rounds N       runs of every engine, in turns (default 3); 0: only the distributions beside llama.cpp's
  --prompt N       tokens of the prompt (default 64)
  --decode N       decode steps (default 8)
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
    decode: { type: "string", default: "8" },
    positions: { type: "string", default: "200" },
    adapter: { type: "string" },
    json: { type: "string" },
    help: { type: "boolean" },
  },
});

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
  const [length, steps] = [options.prompt, options.decode].map(positive);
  const rounds = options.rounds === "0" ? 0 : positive(options.rounds);
  const shape = shapes[options.shape];
  const positions = /^\d{1,3}$/.test(options.positions) ? Number(options.positions) : 500;
  if (
    !shape ||
    positions >= 500 ||
    rounds === undefined ||
    !length ||
    !steps ||
    length < 2 ||
    length + steps >= 500
  ) {
    console.error(HELP);
    process.exitCode = 2;
    return;
  }
  const driver = await chooseDriver();
  const version = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;

  console.error("writing the models ...");
  const files = {
    safetensors: join(folder, "hf"),
    gguf: join(folder, "model.gguf"),
    onnx: join(folder, "model.onnx"),
  };
  if (rounds > 0) {
    writeCheckpoint(files.safetensors, shape);
    writeGguf(files.gguf, shape);
    writeOnnx(files.onnx, shape);
  }

  const prompt = promptOf(length, shape.V);
  const task = { shape, prompt, warmup: prompt.map((id) => (id + 1) % shape.V), steps };
  const peers = [
    { name: `sirocco ${version}`, script: "./sirocco.mjs", file: files.safetensors, packages: {}, env: {} },
    {
      name: "onnxruntime-node 1.30.0, WebGPU",
      script: "./onnxruntime.mjs",
      file: files.onnx,
      packages: { "onnxruntime-node": "1.30.0" },
      env: {},
      // Its activations have eight bits, so later ids may differ.
      sureIds: 1,
    },
    {
      name: "llama.cpp (node-llama-cpp 3.22.1), Vulkan",
      script: "./llama-cpp.mjs",
      file: files.gguf,
      packages: {
        "node-llama-cpp": "3.22.1",
        [`@node-llama-cpp/${process.platform}-${process.arch}`]: "3.22.1",
        [`@node-llama-cpp/${process.platform}-${process.arch}-vulkan`]: "3.22.1",
      },
      // It ignores software drivers unless they are named.
      env: driver.name === "default" ? {} : { GGML_VK_VISIBLE_DEVICES: "0" },
    },
  ];

  const engines = [];
  for (const peer of rounds > 0 ? peers : peers.slice(-1)) {
    const engine = {
      ...peer,
      readings: /** @type {import("./peers/child.mjs").Reading[]} */ ([]),
      installed: "",
    };
    engines.push({ ...engine, problems: /** @type {string[]} */ ([]) });
    const added = engines.at(-1);
    if (!added || Object.keys(peer.packages).length === 0) continue;
    added.installed = await install(peer.script.slice(2, -4), peer.packages, stop.signal).catch((error) => {
      added.problems.push(`${peer.name} could not be installed. ${error.message}`);
      return "";
    });
  }

  for (let round = 1; round <= rounds; round++) {
    for (const engine of engines) {
      if (engine.problems.length > 0) continue;
      const { name, script, file, installed, env } = engine;
      console.error(`round ${round} of ${rounds}: ${name} ...`);
      try {
        const all = { ...driver.env, ...env };
        const reading = await measureInChild(script, { ...task, file, installed }, all, stop.signal);
        engine.readings.push(reading);
        console.error(
          `  prefill ${reading.prefill.toFixed(2)}, decode ${reading.decode.toFixed(2)} tokens/s`,
        );
      } catch (error) {
        engine.problems.push(`${name} did not run. ${/** @type {Error} */ (error).message}`);
        console.error(`  ${engine.problems.at(-1)}`);
      }
    }
  }

  const [ours, ...others] = engines;
  if (!ours) return;
  for (const other of others) other.problems.push(...new Set(wrongAnswers(ours, other, other.sureIds)));
  const parameters = parametersOf(tensorsOf(shape));
  const date = new Date().toISOString();
  console.log(
    `${driver.adapter} (${driver.name}), ${process.platform} ${process.arch}, node ${process.version}, ${date.slice(0, 10)}\n` +
      `Mistral's shape "${options.shape}", ${(parameters / 1e6).toFixed(0)} M parameters`,
  );
  if (rounds > 0)
    console.log(
      `in 4 bits; prompt ${length}, decode ${steps}; median (least to most) of ${rounds} rounds\n\n${table(engines)}`,
    );
  const problems = engines.flatMap((engine) => engine.problems);
  const installed = engines.at(-1)?.installed;
  const agreed =
    positions > 0 && installed
      ? await agreement({
          ...{ shape, folder, installed, env: driver.env, signal: stop.signal },
          ids: promptOf(positions, shape.V),
        })
      : undefined;
  if (agreed) console.log(`\n${agreed.lines.join("\n")}`);
  problems.push(...(agreed?.problems ?? []));
  for (const problem of problems) console.log(`problem: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
  if (!options.json) return;
  const params = {
    adapter: driver.adapter,
    driver: driver.name,
    shape: options.shape,
    parameters,
    prompt: length,
    steps,
  };
  const page = {
    date,
    package: version,
    node: process.version,
    problems,
    results: results(engines, params),
    agreement: agreed?.results,
  };
  writeFileSync(options.json, `${JSON.stringify(page, null, 2)}\n`);
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

async function chooseDriver() {
  const { drivers } = await findDrivers();
  const wanted = options.adapter ?? "lavapipe";
  const driver = drivers.find(({ name }) => name === wanted) ?? (options.adapter ? undefined : drivers[0]);
  if (driver) return driver;
  const names = drivers.map(({ name }) => name).join(", ");
  throw new Error(`--adapter: expected one of ${names || "none, as no adapter answers"}, got ${wanted}.`);
}
