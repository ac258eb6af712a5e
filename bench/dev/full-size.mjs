// `npm run bench -- full-size [--layers N] [--gguf MIX | --gptq]`: writes a checkpoint with Mistral 7B's
// exact shapes to a temporary folder (32 layers: 14.5 GB of seeded random bf16 in shards of about 5 GB,
// loaded as q4; or a GGUF file or a folder quantised with GPTQ, loaded as it is), generates, checks memory
// against bounds, and cleans up.
import { statSync } from "node:fs";
import { open, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadModel, planModel } from "sirocco";
import { writeGptq } from "./gptq.mjs";
import { configOf, parametersOf, safetensorsHeader, sizeOf, tensorsOf } from "./mistral.mjs";
import { mixes, writeGguf } from "./peers/gguf.mjs";
import { progressLine } from "./progress.mjs";
import { randomBlock, repeatedBlocks } from "./random-weights.mjs";
import { filler } from "./repeated.mjs";
import { temporaryFolder } from "./temporary-folder.mjs";

const SHARD_BYTES = 5e9;
const MAX_HOST_BYTES = 256 * 2 ** 20;
/** Bits of a weight in GPU memory, at most, all matrices together but those that GPTQ leaves in 16 bits. */
const MAX_RESIDENT_BITS = { bf16: 4.64, Q4_0: 4.64, Q4_K_M: 6, Q8_0: 8.6, GPTQ: 4.64 };
const ANSWER = 8;

const { values: options } = parseArgs({
  args: process.argv.slice(3),
  options: {
    layers: { type: "string", default: "32" },
    gguf: { type: "string" },
    gptq: { type: "boolean" },
    folder: { type: "string", default: tmpdir() },
  },
});
const L = Number(options.layers);
const mix = mixes.find((name) => name === options.gguf);
if (!Number.isInteger(L) || L < 1 || L > 32 || (options.gguf !== undefined && !mix)) {
  console.error(
    `npm run bench -- full-size [--layers 1 … 32] [--gguf ${mixes.join(" | ")}] [--gptq] [--folder WHERE IT MAY BE WRITTEN]`,
  );
  process.exit(2);
}
const shape = { L, D: 4096, H: 32, G: 8, d: 128, F: 14336, V: 32000, W: 4096 };
const tensors = tensorsOf(shape);
const parameters = parametersOf(tensors);

const gigabytes = (/** @type {number} */ bytes) => `${(bytes / 1e9).toFixed(2)} GB`;
const mebibytes = (/** @type {number} */ bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

const folder = temporaryFolder(options.folder, 2 * parameters);
const file = join(folder, "model.gguf");
let made = "";
if (mix) {
  made = `GGUF in ${mix}`;
  writeGguf(file, shape, mix, repeatedBlocks());
} else if (options.gptq) {
  made = "GPTQ";
  writeGptq(folder, shape, false);
} else {
  const shards = await writeCheckpoint();
  made = `bf16 in ${shards} shard${shards === 1 ? "" : "s"}`;
}
const written = mix ? file : options.gptq ? join(folder, "model.safetensors") : undefined;
const fileBytes = written ? statSync(written).size : 2 * parameters;
console.log(
  `checkpoint: Mistral 7B's shapes with ${L} of 32 layers, ${(parameters / 1e9).toFixed(2)} G parameters, ` +
    `${gigabytes(fileBytes)} of ${made}`,
);
const source = mix ? file : folder;
const weights = written ? "auto" : "q4";

// Memory when idle: with the engine loaded, after the driver has run once.
const warm = await loadModel();
await warm.logits([1]);
const { name: adapter, software } = warm.adapter;
warm.dispose();
globalThis.gc?.();
const idle = process.memoryUsage().rss;

// A software driver and the CPU keep buffers in this process: what was written to them so far does not count
// as host memory. Pages of the shards in the system's cache are not part of the process.
let peak = 0;
let resident = 0;
const watch = () => {
  peak = Math.max(peak, process.memoryUsage().rss - idle - resident);
};
const timer = setInterval(watch, 20);
const showLoading = progressLine(`loading on ${adapter}:`);
// On the whole. The matrices of a mixture shrink or grow by different factors.
const plan = await planModel(source, { weights });
const began = performance.now();
const model = await loadModel(source, {
  weights,
  // Tuning would take a minute.
  tune: false,
  onProgress: ({ loaded, total }) => {
    watch();
    if (software) resident = (loaded * plan.weightBytes) / total;
    showLoading(loaded, total);
  },
});
clearInterval(timer);
const seconds = (performance.now() - began) / 1000;
const { weightBytes } = model.plan;
console.log(
  `loaded as ${plan.weights} on ${adapter} in ${seconds.toFixed(1)} s, ${mebibytes(fileBytes / seconds)}/s`,
);

const ids = [];
let decodeMs = 0;
for await (const chunk of model.generate([1, 415, 5059, 349], {
  temperature: 0,
  maxTokens: ANSWER,
  ignoreEos: true,
})) {
  ids.push(...chunk.ids);
  decodeMs = chunk.finish?.decodeMs ?? decodeMs;
}
model.dispose();

const bits = MAX_RESIDENT_BITS[options.gptq ? "GPTQ" : (mix ?? "bf16")];
/** The embedding and lm_head. */
const floats = options.gptq ? 2 * shape.V * shape.D : 0;
const maxResident = (bits * (parameters - floats) + 16 * floats) / 8;
/** @type {[text: string, kept: boolean][]} */
const bounds = [
  [
    `host memory above idle and GPU buffers while loading: at most ${mebibytes(peak)} (bound: ${mebibytes(MAX_HOST_BYTES)})`,
    peak <= MAX_HOST_BYTES,
  ],
  [
    `resident weights: ${gigabytes(weightBytes)} (bound: ${gigabytes(maxResident)})`,
    weightBytes <= maxResident,
  ],
  [`generated ${ids.length} of ${ANSWER} tokens: ${ids.join(" ")}`, ids.length === ANSWER],
];
for (const [text, kept] of bounds) console.log(kept ? text : `BROKEN ${text}`);
console.log(`decode ${((ids.length - 1) / (decodeMs / 1000)).toFixed(2)} tokens/s`);
if (!bounds.every(([, kept]) => kept)) process.exitCode = 1;

/** Writes config, index and shards. A new shard begins when the last one would grow too large. */
async function writeCheckpoint() {
  /** @type {import("./mistral.mjs").Tensor[][]} */
  const groups = [[]];
  for (const tensor of tensors) {
    const last = groups.at(-1) ?? [];
    if (last.length > 0 && 2 * (parametersOf(last) + sizeOf(tensor)) > SHARD_BYTES) groups.push([tensor]);
    else last.push(tensor);
  }
  const number = (/** @type {number} */ n) => String(n).padStart(5, "0");
  const names = groups.map((_, i) => `model-${number(i + 1)}-of-${number(groups.length)}.safetensors`);
  const weight_map = Object.fromEntries(
    groups.flatMap((group, i) => group.map(({ name }) => [name, names[i]])),
  );
  await writeFile(join(folder, "config.json"), JSON.stringify(configOf(shape)));
  await writeFile(
    join(folder, "model.safetensors.index.json"),
    JSON.stringify({ metadata: { total_size: 2 * parameters }, weight_map }),
  );
  const show = progressLine(`writing ${gigabytes(2 * parameters)}:`);
  const piecesOf = filler(randomBlock(2 ** 22), 2);
  let done = 0;
  for (const [i, group] of groups.entries()) {
    await writeShard(join(folder, names[i] ?? ""), group, piecesOf, (bytes) => {
      done += bytes;
      show(done, 2 * parameters);
    });
  }
  return groups.length;
}

/**
 * @param {string} path @param {import("./mistral.mjs").Tensor[]} group
 * @param {import("./repeated.mjs").Filler} piecesOf
 * @param {(bytes: number) => void} onWritten
 */
async function writeShard(path, group, piecesOf, onWritten) {
  const file = await open(path, "wx");
  try {
    await file.writeFile(safetensorsHeader(group));
    for (const piece of piecesOf(2 * parametersOf(group))) {
      await file.writeFile(piece);
      onWritten(piece.length);
    }
  } finally {
    await file.close();
  }
}
