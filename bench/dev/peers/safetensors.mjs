// Writes the model as a Hugging Face checkpoint, for Sirocco: a folder with config.json and model.safetensors
// in bf16.
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { configOf, safetensorsHeader, tensorsOf } from "../mistral.mjs";
import { isNorm, norm, values } from "./model.mjs";

/** @param {string} folder @param {import("./model.mjs").Shape} shape */
export function writeCheckpoint(folder, shape) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify(configOf(shape)));
  const tensors = tensorsOf(shape);
  const file = openSync(join(folder, "model.safetensors"), "w");
  writeSync(file, safetensorsHeader(tensors));
  for (const { name } of tensors)
    writeSync(file, bf16(isNorm(name) ? norm(shape, name) : values(shape, name)));
  closeSync(file);
}

/** The upper halves of floats whose lower halves are zero. */
function bf16(/** @type {Float32Array<ArrayBuffer>} */ floats) {
  const halves = new Uint16Array(floats.buffer);
  const upper = new Uint16Array(floats.length);
  // Uint16Array.from with a function would take thirty times as long.
  for (let i = 0; i < upper.length; i++) upper[i] = halves[2 * i + 1] ?? 0;
  return upper;
}
