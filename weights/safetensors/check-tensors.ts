// Checks of single tensors of a checkpoint: that they are there as expected, and that no other belongs to the
// graph.
import type { Checkpoint } from "../checkpoint.ts";
import type { ModelConfig } from "../config.ts";
import { label, mismatch, show } from "../errors.ts";
import type { HeaderTensor } from "./header.ts";
import { belongsToGraph, tensorName } from "./names.ts";
import type { Shards } from "./shards.ts";

/** What the headers of a checkpoint give. */
export type Checked = Pick<
  Checkpoint,
  "config" | "tensors" | "parameters" | "bytes" | "quantised" | "readRows" | "warnings" | "lostWindow"
>;

export const FLOATS: readonly string[] = ["F32", "F16", "BF16"];

const lmHead = tensorName("lmHead");
const ADVICE = "This is not the checkpoint that config.json describes: fetch both again.";

/** The tensor of this name. @throws CheckpointError if it is missing, twice, or of another dtype or shape */
export function checkTensor(
  shards: Shards,
  name: string,
  shape: readonly number[],
  dtypes: readonly string[],
): HeaderTensor {
  const tensor = shards.tensors.get(name);
  if (!tensor) throw notStored(shards, name, shape);
  const where = `${tensor.file}: ${name}`;
  const second = shards.twice.get(name);
  if (second !== undefined) {
    const advice = "The shards come from different checkpoints: keep each in its own folder.";
    throw mismatch(`${second}: ${name}`, "one copy", `another in ${tensor.file}`, advice);
  }
  if (!dtypes.includes(tensor.dtype)) {
    const advice = "Choose a checkpoint of ordinary weights: Sirocco quantises them itself.";
    throw mismatch(where, `dtype ${dtypes.join(", ")}`, tensor.dtype, advice);
  }
  if (tensor.shape.length !== shape.length || tensor.shape.some((n, i) => n !== shape[i])) {
    throw mismatch(where, `shape ${show(shape)}`, show(tensor.shape), ADVICE);
  }
  return tensor;
}

function notStored({ tensors, metadata }: Shards, name: string, shape: readonly number[]): Error {
  const [file = "", ...others] = metadata.keys();
  const where = `${others.length === 0 ? file : `${file} and ${others.length} more`}: ${name}`;
  const expected = `a tensor ${show(shape)}`;
  // Saved with the prefix of a wrapper (an adapter, torch.compile, a multimodal model), or without the prefix
  // "model.".
  const other = [...tensors.keys()].find((key) => key.endsWith(`.${name}`) || `model.${key}` === name);
  if (other === undefined) return mismatch(where, expected, "none", ADVICE);
  const advice = "Save the language model by itself (save_pretrained of transformers), and load that.";
  return mismatch(where, expected, `it as ${label(other)}`, advice);
}

/** A layer without its bias gives wrong answers and no error. */
export function refuseBias({ file, name, shape }: HeaderTensor): void {
  if (!name.endsWith(".bias") || !belongsToGraph(name)) return;
  const advice = "Sirocco does not run biases; choose another checkpoint.";
  throw mismatch(`${file}: ${label(name)}`, "no bias", show(shape), advice);
}

/** Ignoring any other tensor of the graph would change the results. */
export function refuseUnknown({ file, name, shape }: HeaderTensor, { L, tied }: ModelConfig): void {
  const where = `${file}: ${label(name)}`;
  const [, layer] = /^model\.layers\.(\d+)\./.exec(name) ?? [];
  if (layer !== undefined && Number(layer) >= L) {
    throw mismatch(where, `${L} layers, as config.json says (num_hidden_layers)`, "one more", ADVICE);
  }
  if (belongsToGraph(name) || (tied && name.endsWith(`.${lmHead}`))) {
    const advice = "Sirocco does not run models with it; choose another checkpoint.";
    throw mismatch(where, "no tensor of this name", show(shape), advice);
  }
}

/** Numbers of a model, whatever they are stored in. */
export const numbersIn = (tensors: readonly { readonly shape: readonly number[] }[]): number =>
  tensors.reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
