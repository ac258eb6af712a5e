// Opens a checkpoint of Hugging Face: config.json and safetensors. All headers are checked before a tensor is
// read.

import type { WeightFormatName } from "../../kernels/formats/table.ts";
import type { Checkpoint, CheckpointReader, Vocabulary } from "../checkpoint.ts";
import { type ModelConfig, parseConfig } from "../config.ts";
import { CheckpointError, label, mismatch, show } from "../errors.ts";
import { isObject, own } from "../json.ts";
import { missingFile } from "../missing-file.ts";
import { readJson, readText } from "../read-file.ts";
import { readRows } from "../rows.ts";
import type { Source } from "../source.ts";
import type { Encoding } from "../tensor-info.ts";
import type { DType, HeaderTensor } from "./header.ts";
import { belongsToGraph, requiredTensors, tensorName } from "./names.ts";
import {
  formatsOf,
  packedAs,
  packedEncoding,
  packedName,
  packedTensors,
  parsePacked,
  unpackedName,
} from "./packed.ts";
import { type Demand, readShards, type Shards } from "./shards.ts";

const lmHead = tensorName("lmHead");
const FLOATS: readonly string[] = ["F32", "F16", "BF16"];
const ADVICE = "This is not the checkpoint that config.json describes: fetch both again.";
const QUANTIZED = "Choose the original weights: Sirocco quantises them itself.";

/** What the headers give. */
type Checked = Pick<Checkpoint, "config" | "tensors" | "parameters" | "bytes" | "quantised">;

export const safetensorsReader: CheckpointReader = {
  fits: async () => true,
  open,
};

async function open(source: Source, signal?: AbortSignal): Promise<Checkpoint> {
  const json = await readJson(source, "config.json", signal);
  if (!json) {
    const advice = "Name a folder or repository that holds config.json and .safetensors files.";
    throw await missingFile(source, "config.json", advice, signal);
  }
  const generation = await readJson(source, "generation_config.json", signal);
  const config = parseConfig(json, "config.json", generation);
  const names = new Set([...requiredTensors(config).map(({ name }) => name), lmHead]);
  const demand: Demand<Checked> = {
    needs: (name) => names.has(unpackedName(name)),
    check: (shards) => checkTensors(config, shards),
  };
  const endsGiven = [json, generation ?? {}].some((each) => own(each, "eos_token_id") !== undefined);
  try {
    const checked = await readShards(source, demand, signal);
    return {
      ...checked,
      source,
      endsGiven,
      readRows: (tensor, options, from = source) =>
        readRows({ source: from, tensors: checked.tensors }, tensor, options),
      vocabulary: (signal) => readVocabulary(source, signal),
    };
  } catch (error) {
    throw explainQuantized(error, own(json, "quantization_config"));
  }
}

/**
 * The tokenizer in the files beside the weights.
 * @throws CheckpointError if a file is not UTF-8, or not JSON
 */
async function readVocabulary(source: Source, signal?: AbortSignal): Promise<Vocabulary | undefined> {
  const tokenizer = await readJson(source, "tokenizer.json", signal);
  if (tokenizer === undefined) return undefined;
  return {
    tokenizer,
    tokenizerConfig: await readJson(source, "tokenizer_config.json", signal),
    specialTokensMap: await readJson(source, "special_tokens_map.json", signal),
    chatTemplate: await readText(source, "chat_template.jinja", signal),
  };
}

function checkTensors(declared: ModelConfig, shards: Shards): Checked {
  const packed = agreedLayout(shards);
  // A stored lm_head is used, whatever config.json says of tied embeddings. (If it equals the embedding, it
  // only takes memory.)
  const head = shards.tensors.has(packed ? packedName(lmHead) : lmHead);
  const config = head ? { ...declared, tied: false } : declared;
  const required = requiredTensors(config);
  const stored: readonly { name: string; shape: readonly number[]; dtype?: DType }[] = packed
    ? packedTensors(config, formatsOf(packed, config))
    : required;
  const wanted = new Set(stored.map(({ name }) => name));
  const others = [...shards.tensors.values()].filter(({ name }) => !wanted.has(name));
  for (const tensor of others) refuseBias(tensor);
  let bytes = 0;
  for (const { name, shape, dtype } of stored) {
    const tensor = checkTensor(shards, name, shape, dtype === "U32" ? ["U32"] : FLOATS);
    bytes += tensor.end - tensor.start;
  }
  for (const tensor of others) refuseUnknown(tensor, config);
  const tensors = new Map(
    [...shards.tensors]
      .filter(([name]) => wanted.has(name))
      .map(([name, { dtype, ...tensor }]) => [name, { ...tensor, encoding: encodingOf(name, dtype) }]),
  );
  const parameters = required.reduce(
    (sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1),
    0,
  );
  return { config, tensors, parameters, bytes, quantised: packed && packedAs(packed, config) };
}

const encodingOf = (name: string, dtype: string): Encoding =>
  dtype === "U32" ? packedEncoding(name) : dtype;

function checkTensor(
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

// A layer without its bias gives wrong answers and no error.
function refuseBias({ file, name, shape }: HeaderTensor): void {
  if (!name.endsWith(".bias") || !belongsToGraph(name)) return;
  const advice = "Sirocco does not run biases; choose another checkpoint.";
  throw mismatch(`${file}: ${label(name)}`, "no bias", show(shape), advice);
}

// Ignoring any other tensor of the graph would change the results.
function refuseUnknown({ file, name, shape }: HeaderTensor, { L, tied }: ModelConfig): void {
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

/**
 * A quantization_config may be a leftover, so it counts only if the tensors are not as expected: then it
 * explains why.
 */
function explainQuantized(error: unknown, quantization: unknown): unknown {
  if (!(error instanceof CheckpointError) || error.code !== "bad-checkpoint" || !isObject(quantization))
    return error;
  const method = own(quantization, "quant_method");
  const got = `${method === undefined ? show(quantization) : show(method)} (${error.message})`;
  return mismatch("config.json: quantization_config", "none, or ordinary weights", got, QUANTIZED);
}

/** The format that all files are packed in; null: none is packed. */
function agreedLayout({ metadata }: Shards): WeightFormatName | null {
  let first: { file: string; packed: WeightFormatName | null } | undefined;
  for (const [file, values] of metadata) {
    const packed = parsePacked(values, file);
    first ??= { file, packed };
    if (packed !== first.packed) {
      const expected = `weights ${first.packed ?? "as published"}, as in ${first.file}`;
      const advice = "The shards come from different checkpoints: keep each in its own folder.";
      throw mismatch(`${file}: __metadata__`, expected, packed ?? "weights as published", advice);
    }
  }
  return first?.packed ?? null;
}
