// Which files hold the tensors: the index's shards, or the one model.safetensors.
import { label, mismatch, show } from "./errors.ts";
import { isObject, type JsonObject, own } from "./json.ts";
import { INDEX_FILE, isShardName, SINGLE_FILE } from "./names.ts";
import { missing, readJson } from "./read-file.ts";
import { readHeader, type TensorInfo } from "./safetensors.ts";
import type { Source } from "./source.ts";

/** Tensors of all files, and each file's `__metadata__`. */
export interface Shards {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

const MAX_SHARDS = 10_000;
const ADVICE = "Fetch the index and its shards again.";

/** Tensor name -> shard, out of an index. @throws CheckpointError naming the tensor. */
export function parseIndex(json: JsonObject, file = INDEX_FILE): ReadonlyMap<string, string> {
  const weightMap = own(json, "weight_map");
  if (!isObject(weightMap)) throw mismatch(`${file}: weight_map`, "an object", show(weightMap), ADVICE);
  const map = new Map<string, string>();
  for (const [name, shard] of Object.entries(weightMap)) {
    if (!isShardName(shard)) {
      throw mismatch(
        `${file}: ${label(name)}`,
        "a .safetensors file of the same folder",
        show(shard),
        ADVICE,
      );
    }
    map.set(name, shard);
  }
  const count = new Set(map.values()).size;
  if (count === 0) throw mismatch(`${file}: weight_map`, "at least one tensor", "none", ADVICE);
  if (count > MAX_SHARDS)
    throw mismatch(`${file}: weight_map`, `at most ${MAX_SHARDS} shards`, `${count}`, ADVICE);
  return map;
}

/** Reads the headers of every file of the checkpoint; no tensor may stand in two of them. */
export async function readShards(source: Source, signal?: AbortSignal): Promise<Shards> {
  const json = await readJson(source, INDEX_FILE, signal);
  const index = json && parseIndex(json);
  const files = index ? [...new Set(index.values())].sort() : [SINGLE_FILE];
  const tensors = new Map<string, TensorInfo>();
  const metadata = new Map<string, Readonly<Record<string, string>>>();
  for (const file of files) {
    if ((await source.size(file, signal)) === undefined)
      throw await missingShard(source, file, index, signal);
    const header = await readHeader(source, file, signal);
    metadata.set(file, header.metadata);
    for (const tensor of header.tensors) {
      const other = tensors.get(tensor.name);
      if (other)
        throw mismatch(`${file}: ${label(tensor.name)}`, "one copy", `another in ${other.file}`, ADVICE);
      tensors.set(tensor.name, tensor);
    }
  }
  for (const [name, shard] of index ?? []) {
    const found = tensors.get(name)?.file;
    if (found !== shard) {
      throw mismatch(
        `${shard}: ${label(name)}`,
        `the tensor, as ${INDEX_FILE} says`,
        found ? `it in ${found}` : "none",
        ADVICE,
      );
    }
  }
  return { tensors, metadata };
}

function missingShard(
  source: Source,
  file: string,
  index: ReadonlyMap<string, string> | undefined,
  signal?: AbortSignal,
): Promise<Error> {
  if (!index) {
    const advice = `Sirocco reads ${INDEX_FILE} with its shards, or ${SINGLE_FILE}; not .bin, .gguf or consolidated files.`;
    return missing(source, file, advice, signal);
  }
  const [tensor = ""] = [...index].find(([, shard]) => shard === file) ?? [];
  return missing(source, file, `${INDEX_FILE} says it holds ${label(tensor)}: fetch the shard.`, signal);
}
