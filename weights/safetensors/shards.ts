// Finds the files of the tensors: the shards of an index, one model.safetensors, or shards without an index.
import { CheckpointError, label, mismatch, show } from "../errors.ts";
import { isObject, type JsonObject, own } from "../json.ts";
import { readJson } from "../read-file.ts";
import type { Source } from "../source.ts";
import { type HeaderTensor, readHeader } from "./header.ts";
import { INDEX_FILE, isLooseShard, isShardName, SHARD_OF, SINGLE_FILE } from "./names.ts";

type Index = ReadonlyMap<string, string>;

/** The tensors of all files, and the `__metadata__` of each file. */
export interface Shards {
  readonly tensors: ReadonlyMap<string, HeaderTensor>;
  readonly metadata: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** For tensors that are in several files without an index to choose one: the second file. */
  readonly twice: ReadonlyMap<string, string>;
}

const MAX_SHARDS = 10_000;
const ADVICE = "Fetch the index and its shards again.";

/** Reads tensor name -> shard from an index. @throws CheckpointError naming the tensor */
export function parseIndex(json: JsonObject, file = INDEX_FILE): Index {
  const weightMap = own(json, "weight_map");
  if (!isObject(weightMap)) throw mismatch(`${file}: weight_map`, "an object", show(weightMap), ADVICE);
  const map = new Map<string, string>();
  for (const [name, value] of Object.entries(weightMap)) {
    const shard = typeof value === "string" ? value.replace(/^(\.\/)+/, "") : value;
    if (!isShardName(shard)) {
      throw mismatch(
        `${file}: ${label(name)}`,
        "a .safetensors file of the same folder",
        show(value),
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

/** What the files must hold. */
export interface Demand<T> {
  /** Whether a tensor of this name is used. */
  needs(name: string): boolean;
  /** @throws CheckpointError if these tensors are not a checkpoint */
  check(shards: Shards): Promise<T>;
}

/**
 * Reads headers until `check` accepts the tensors: first of the shards of the index; then of
 * model.safetensors, which may be there beside an old or damaged index; then of shards that have lost their
 * index. If none is right, throws the first error.
 */
export async function readShards<T>(source: Source, demand: Demand<T>, signal?: AbortSignal): Promise<T> {
  let problem: unknown;
  const index = await readIndex(source, signal).catch((error: unknown) => {
    if (!(error instanceof CheckpointError)) throw error;
    problem = error;
    return undefined;
  });
  for (const candidate of [shardsOf(index), [SINGLE_FILE], undefined]) {
    if (!candidate && (index || problem !== undefined)) break;
    const names = candidate ?? (await looseShards(source, signal));
    const files = await present(source, names, signal);
    try {
      if (files.length > 0) return await demand.check(await readHeaders(source, files, index, signal));
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      problem ??= error;
    }
    if (names.length === 0 || names[0] === SINGLE_FILE) continue;
    const lost = [...(index ?? [])].find(([name, file]) => demand.needs(name) && !files.includes(file));
    if (lost) {
      const { missingShard } = await import("../missing-file.ts");
      problem = await missingShard(source, INDEX_FILE, lost, signal);
    }
  }
  if (problem !== undefined) throw problem;
  const advice = `Sirocco reads ${INDEX_FILE} with its shards, or ${SINGLE_FILE}.`;
  const { missingFile } = await import("../missing-file.ts");
  throw await missingFile(source, SINGLE_FILE, advice, signal);
}

async function readIndex(source: Source, signal: AbortSignal | undefined): Promise<Index | undefined> {
  const json = await readJson(source, INDEX_FILE, signal);
  return json && parseIndex(json);
}

const shardsOf = (index: Index | undefined): string[] => [...new Set(index?.values())].sort();

/**
 * Shards without an index, whose names say how many there must be; or the only file, as old programs for GPTQ
 * name it after bits and groups.
 */
async function looseShards(source: Source, signal: AbortSignal | undefined): Promise<string[]> {
  const files = ((await source.list?.(signal)) ?? []).filter(isLooseShard).sort();
  const shards = files.filter((name) => SHARD_OF.test(name));
  const [, , count] = SHARD_OF.exec(shards[0] ?? "") ?? [];
  if (shards.length === 0) return files.length === 1 ? files : [];
  return shards.length === Number(count) ? shards : [];
}

async function present(
  source: Source,
  files: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const there: string[] = [];
  for (const file of files) if ((await source.size(file, signal)) !== undefined) there.push(file);
  return there;
}

async function readHeaders(
  source: Source,
  files: readonly string[],
  index: Index | undefined,
  signal: AbortSignal | undefined,
): Promise<Shards> {
  const tensors = new Map<string, HeaderTensor>();
  const metadata = new Map<string, Readonly<Record<string, string>>>();
  const twice = new Map<string, string>();
  for (const file of files) {
    const header = await readHeader(source, file, signal);
    metadata.set(file, header.metadata);
    for (const tensor of header.tensors) {
      const { name } = tensor;
      const other = tensors.get(name);
      const said = index?.get(name);
      if (other && said !== file && said !== other.file) twice.set(name, file);
      if (!other || said === file) tensors.set(name, tensor);
    }
  }
  return { tensors, metadata, twice };
}
