// A checkpoint, checked whole before a tensor is read: config, shards, every tensor with its shape and dtype.
import { type ModelConfig, parseConfig } from "./config.ts";
import { label, mismatch, show } from "./errors.ts";
import { requiredTensors } from "./names.ts";
import { type Packed, packedTensors, parsePacked } from "./packed.ts";
import { missing, readJson } from "./read-file.ts";
import type { DType, TensorInfo } from "./safetensors.ts";
import { readShards, type Shards } from "./shards.ts";
import type { Source } from "./source.ts";

export interface Checkpoint {
  readonly config: ModelConfig;
  readonly source: Source;
  /** The tensors the graph needs and no others, shard by shard in file order. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Numbers of the model, whatever format they are stored in. */
  readonly parameters: number;
  /** Bytes of `tensors` as stored. */
  readonly bytes: number;
  /** How `sirocco quantize` packed the matrices; null for an ordinary checkpoint. */
  readonly packed: Packed | null;
}

const FLOATS: readonly DType[] = ["F32", "F16", "BF16"];
const ADVICE = "This is not the checkpoint that config.json describes: fetch both again.";

/** Opens the checkpoint in `source`. @throws CheckpointError naming file and tensor. */
export async function openCheckpoint(source: Source, signal?: AbortSignal): Promise<Checkpoint> {
  const json = await readJson(source, "config.json", signal);
  if (!json) {
    const advice = "Name a folder or repository that holds config.json and .safetensors files.";
    throw await missing(source, "config.json", advice, signal);
  }
  const config = parseConfig(json, "config.json", await readJson(source, "generation_config.json", signal));
  const shards = await readShards(source, signal);
  const packed = agreedLayout(shards);
  const wanted = new Set<string>();
  let parameters = 0;
  let bytes = 0;
  for (const { name, shape } of requiredTensors(config)) {
    parameters += shape.reduce((product, n) => product * n, 1);
    refuseBias(name, shards);
  }
  const stored: readonly { name: string; shape: readonly number[]; dtype?: DType }[] = packed
    ? packedTensors(config, packed.weights)
    : requiredTensors(config);
  for (const { name, shape, dtype } of stored) {
    const tensor = checkTensor(shards, name, shape, dtype === "U32" ? ["U32"] : FLOATS);
    wanted.add(name);
    bytes += tensor.end - tensor.start;
  }
  const tensors = new Map([...shards.tensors].filter(([name]) => wanted.has(name)));
  return { config, source, tensors, parameters, bytes, packed };
}

function checkTensor(
  shards: Shards,
  name: string,
  shape: readonly number[],
  dtypes: readonly DType[],
): TensorInfo {
  const tensor = shards.tensors.get(name);
  if (!tensor) {
    const [file = "", ...others] = shards.metadata.keys();
    const where = others.length === 0 ? file : `${file} and ${others.length} more`;
    throw mismatch(`${where}: ${name}`, `a tensor ${show(shape)}`, "none", ADVICE);
  }
  const where = `${tensor.file}: ${name}`;
  if (!dtypes.includes(tensor.dtype)) {
    const advice = "Choose a checkpoint of ordinary weights: Sirocco quantises them itself.";
    throw mismatch(where, `dtype ${dtypes.join(", ")}`, tensor.dtype, advice);
  }
  if (tensor.shape.length !== shape.length || tensor.shape.some((n, i) => n !== shape[i])) {
    throw mismatch(where, `shape ${show(shape)}`, show(tensor.shape), ADVICE);
  }
  return tensor;
}

// Without its bias a layer still answers, wrongly; other tensors that the graph does not know (rotary_emb.inv_freq) do no harm.
function refuseBias(name: string, { tensors }: Shards): void {
  const bias = tensors.get(name.replace(/\.weight$/, ".bias"));
  if (bias) {
    const advice = "Sirocco does not run biases; choose another checkpoint.";
    throw mismatch(`${bias.file}: ${label(bias.name)}`, "no bias", show(bias.shape), advice);
  }
}

function agreedLayout({ metadata }: Shards): Packed | null {
  let first: { file: string; packed: Packed | null } | undefined;
  for (const [file, values] of metadata) {
    const packed = parsePacked(values, file);
    first ??= { file, packed };
    if (packed?.weights !== first.packed?.weights) {
      const expected = `weights ${first.packed?.weights ?? "as published"}, as in ${first.file}`;
      const advice = "The shards come from different checkpoints: keep each in its own folder.";
      throw mismatch(`${file}: __metadata__`, expected, packed?.weights ?? "weights as published", advice);
    }
  }
  return first?.packed ?? null;
}
