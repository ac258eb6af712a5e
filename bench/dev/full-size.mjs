// `npm run bench -- full-size [--layers N]`: writes a checkpoint with Mistral 7B's exact shapes to a
// temporary folder (32 layers: 14.5 GB of seeded random bf16 in shards of about 5 GB), loads it as q4,
// generates, checks memory against bounds, and cleans up.
import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { open, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadModel } from "sirocco";
import { configOf, parametersOf, safetensorsHeader, sizeOf, tensorsOf } from "./mistral.mjs";
import { progressLine } from "./progress.mjs";

const SHARD_BYTES = 5e9;
const MAX_HOST_BYTES = 256 * 2 ** 20;
const MAX_RESIDENT_BYTES = 4.2e9;
const ANSWER = 8;
/** Linux's type of a file system in memory: shards there would take the memory that the model needs. */
const TMPFS = 0x01021994;
/** Disk space to leave free. */
const SPARE_BYTES = 2 ** 29;

const { values: options } = parseArgs({
  args: process.argv.slice(3),
  options: {
    layers: { type: "string", default: "32" },
    folder: { type: "string", default: tmpdir() },
  },
});
const L = Number(options.layers);
if (!Number.isInteger(L) || L < 1 || L > 32) {
  console.error("npm run bench -- full-size [--layers 1 … 32] [--folder WHERE THE SHARDS MAY BE WRITTEN]");
  process.exit(2);
}
const shape = { L, D: 4096, H: 32, G: 8, d: 128, F: 14336, V: 32000, W: 4096 };
const tensors = tensorsOf(shape);
const parameters = parametersOf(tensors);

const gigabytes = (/** @type {number} */ bytes) => `${(bytes / 1e9).toFixed(2)} GB`;
const mebibytes = (/** @type {number} */ bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

const { bavail, bsize, type } = statfsSync(options.folder);
if (bavail * bsize < 2 * parameters + SPARE_BYTES) {
  console.error(
    `${options.folder}: expected ${gigabytes(2 * parameters + SPARE_BYTES)} free, got ${gigabytes(bavail * bsize)}. ` +
      "Name another folder with --folder, or fewer layers with --layers.",
  );
  process.exit(1);
}

if (type === TMPFS) {
  console.error(
    `${options.folder}: expected a folder on a disk, got one in memory. Name another with --folder.`,
  );
  process.exit(1);
}

const folder = mkdtempSync(join(options.folder, "sirocco-full-size-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));

const shards = await writeCheckpoint();
console.log(
  `checkpoint: Mistral 7B's shapes with ${L} of 32 layers, ${(parameters / 1e9).toFixed(2)} G parameters, ` +
    `${gigabytes(2 * parameters)} of bf16 in ${shards} shard${shards > 1 ? "s" : ""}`,
);

// Memory when idle: with the engine loaded, after the driver has run once.
const warm = await loadModel();
await warm.logits([1]);
const adapter = warm.adapter.name;
warm.dispose();
globalThis.gc?.();
const idle = process.memoryUsage().rss;

// A software driver keeps GPU buffers in this process: what was written to them so far does not count as host
// memory. Pages of the shards in the system's cache are not part of the process.
const software = /llvmpipe|swiftshader/i.test(adapter);
let peak = 0;
let resident = 0;
const watch = () => {
  peak = Math.max(peak, process.memoryUsage().rss - idle - resident);
};
const timer = setInterval(watch, 20);
const showLoading = progressLine(`loading as q4 on ${adapter}:`);
const began = performance.now();
const model = await loadModel(folder, {
  weights: "q4",
  // Tuning would take a minute.
  tune: false,
  onProgress: ({ loaded, total }) => {
    watch();
    // A weight shrinks from 16 bits to 4.5.
    if (software) resident = (loaded * 4.5) / 16;
    showLoading(loaded, total);
  },
});
clearInterval(timer);
const seconds = (performance.now() - began) / 1000;
const { weightBytes } = model.plan;
console.log(
  `loaded as q4 on ${adapter} in ${seconds.toFixed(1)} s, ${mebibytes((2 * parameters) / seconds)}/s`,
);

const ids = [];
let decodeMs = 0;
for await (const chunk of model.generate([1, 415, 5059, 349], { maxTokens: ANSWER, ignoreEos: true })) {
  ids.push(...chunk.ids);
  decodeMs = chunk.finish?.decodeMs ?? decodeMs;
}
model.dispose();

/** @type {[text: string, kept: boolean][]} */
const bounds = [
  [
    `host memory above idle and GPU buffers while loading: at most ${mebibytes(peak)} (bound: ${mebibytes(MAX_HOST_BYTES)})`,
    peak <= MAX_HOST_BYTES,
  ],
  [
    `resident weights: ${gigabytes(weightBytes)} (bound: ${gigabytes(MAX_RESIDENT_BYTES)})`,
    weightBytes <= MAX_RESIDENT_BYTES,
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
  const block = randomBlock(2 ** 22);
  let done = 0;
  for (const [i, group] of groups.entries()) {
    await writeShard(join(folder, names[i] ?? ""), group, block, (bytes) => {
      done += bytes;
      show(done, 2 * parameters);
    });
  }
  return groups.length;
}

/**
 * @param {string} path @param {import("./mistral.mjs").Tensor[]} group @param {Uint8Array} block
 * @param {(bytes: number) => void} onWritten
 */
async function writeShard(path, group, block, onWritten) {
  const file = await open(path, "wx");
  try {
    await file.writeFile(safetensorsHeader(group));
    // Each write begins at another place of the block, so that no two rows are equal.
    let left = 2 * parametersOf(group);
    for (let turn = 0; left > 0; turn++) {
      const start = (turn * 2 * 7919) % (block.length / 2);
      const piece = block.subarray(start, start + Math.min(left, block.length - start));
      await file.writeFile(piece);
      left -= piece.length;
      onWritten(piece.length);
    }
  } finally {
    await file.close();
  }
}

/** Random bf16 about as large as trained weights, ±[1/64, 1/32); xorshift32 from a fixed seed. */
function randomBlock(/** @type {number} */ values) {
  const block = new Uint16Array(values);
  let state = 0x9e3779b9;
  for (let i = 0; i < values; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    block[i] = (state & 0x8000) | 0x3c80 | (state & 0x7f);
  }
  return new Uint8Array(block.buffer);
}
