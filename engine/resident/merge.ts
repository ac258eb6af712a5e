// `sirocco merge`: writes a base model with an adapter merged into it. Node only.
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { f32BitsToBf16 } from "../../kernels/formats/half.ts";
import {
  type Checkpoint,
  CheckpointError,
  companionFiles,
  INDEX_FILE,
  isLooseShard,
  labelled,
  mergeAdapter,
  openAdapter,
  openCheckpoint,
  otherVocabularies,
  type Shard,
  type Source,
  shardsOf,
  tensorsToWrite,
  writeHeader,
} from "../../weights/node.ts";
import type { Progress } from "../api.ts";
import {
  callback,
  checkOptions,
  flag,
  type Rules,
  signal as signalRule,
  text,
  whole,
} from "../options/check.ts";
import { outOfRange, wrongType } from "../options/parameter.ts";
import { checkSource, isSource } from "../options/tables.ts";
import type { Platform } from "../platform.ts";
import { copyCompanions } from "./copy-companions.ts";

/** Options of `mergeModel`. */
export interface MergeOptions {
  /** The adapter: a folder, an address, a repository of the Hub, or a `Source`. Required. */
  readonly adapter: string | Source;
  /** Folder to write: new or empty. Required. */
  readonly out: string;
  /** Replace the checkpoint in `out`. Default false. */
  readonly force?: boolean;
  /** Most bytes of a file of weights, unless one tensor is larger. 1 … Default 5e9. */
  readonly shardBytes?: number;
  /** Called after each tensor, with bytes written. Default: none. */
  readonly onProgress?: (progress: Progress) => void;
  /** Cancels the work; the folder is then left as it was. Default: none. */
  readonly signal?: AbortSignal;
}

/** Result of `mergeModel`. */
export interface Merged {
  /** Bytes of the tensors, in bf16. */
  readonly bytes: number;
  /** How many tensors of the model the adapter changes. */
  readonly changed: number;
  /** How the base is quantised, whose weights were dequantised; null: it is not. */
  readonly quantised: string | null;
  /** What the base may have lost. Missing if nothing is known. */
  readonly warnings?: readonly string[];
  /** Names of the files in the folder. */
  readonly files: readonly string[];
}

const mergeRules: Rules<MergeOptions> = {
  adapter: {
    expected: "a folder, an address, a name on the Hub or a Source",
    hasType: (value) => text.hasType(value) || isSource(value),
  },
  out: text,
  force: flag,
  shardBytes: whole(1),
  onProgress: callback,
  signal: signalRule,
};

const DEFAULT_SHARD_BYTES = 5e9;
/** Bytes of rows in f32 that are merged at once. */
const CHUNK_BYTES = 2 ** 24;

/** @throws as `mergeModel` in node.ts */
export async function merge(
  platform: Platform,
  spec: string | Source | undefined,
  options: MergeOptions,
): Promise<Merged> {
  checkOptions("mergeModel", options, mergeRules);
  checkSource(spec);
  const {
    adapter: from,
    out,
    force = false,
    shardBytes = DEFAULT_SHARD_BYTES,
    onProgress,
    signal,
  } = options ?? {};
  if (from === undefined) throw wrongType("adapter", "expected the source of an adapter, got nothing.");
  if (out === undefined) throw wrongType("out", "expected a text, got nothing.");
  if (out === "") throw outOfRange("out", "expected a folder, got an empty text.");
  if ((await namesIn(out)).length > 0 && !force)
    throw outOfRange(
      "out",
      `expected a new or empty folder, got ${out}, which holds files. Name another, or set force.`,
    );
  const opened = async (each: string | Source | undefined): Promise<Source> =>
    typeof each === "object"
      ? each
      : platform.openSource(each, { ...(onProgress && { onProgress }), ...(signal && { signal }) });
  const base = await openCheckpoint(await opened(spec), signal);
  const adapter = await labelled("adapter", async () => {
    const source = await opened(from);
    return openAdapter(source.name, source, base.config, signal);
  });
  const merged = mergeAdapter(base, adapter);
  const { shards, bytes: total, index } = shardsOf(tensorsToWrite(merged.config), shardBytes);
  const files = await inNewFiles(out, force, async (folder) => {
    const copied = await copyCompanions(merged, folder, signal);
    const config = JSON.parse(await readFile(join(folder, "config.json"), "utf8"));
    await writeJson(join(folder, "config.json"), configOf(merged, config));
    let loaded = 0;
    for (const shard of shards) {
      await writeShard(merged, shard, join(folder, shard.file), signal, (name, bytes) => {
        loaded += bytes;
        onProgress?.({ stage: "load", name, loaded, total });
      });
    }
    if (index) await writeJson(join(folder, index.file), index.json);
    signal?.throwIfAborted();
    return [...copied, ...shards.map(({ file }) => file), ...(index ? [index.file] : [])];
  });
  return {
    ...{ bytes: total, changed: adapter.changes.size, quantised: base.quantised?.name ?? null, files },
    ...(base.warnings && { warnings: base.warnings }),
  };
}

/** config.json of what is written: of the language model alone, in bf16. */
function configOf({ config }: Checkpoint, json: Record<string, unknown>): object {
  const { quantization_config, quantization, text_config, ...plain } = json;
  const wrapped = typeof text_config === "object" && text_config !== null;
  const own = wrapped ? { ...text_config, architectures: [config.architecture] } : plain;
  return { ...own, tie_word_embeddings: config.tied, torch_dtype: "bfloat16" };
}

const writeJson = (path: string, json: object): Promise<void> =>
  writeFile(path, `${JSON.stringify(json, null, 2)}\n`);

async function writeShard(
  merged: Checkpoint,
  { tensors }: Shard,
  path: string,
  signal: AbortSignal | undefined,
  onTensor: (name: string, bytes: number) => void,
): Promise<void> {
  // transformers wants to know which library's conventions the file follows.
  const header = writeHeader(tensors, { format: "pt" });
  const file = await open(path, "wx");
  try {
    await file.writeFile(header.bytes);
    for (const { name, parts, bytes: size } of tensors) {
      for (const part of parts) {
        const info = merged.tensors.get(part)!;
        for await (const { bytes } of merged.readRows(info, { maxBytes: CHUNK_BYTES, signal })) {
          const halves = toBf16(bytes);
          if (halves.some(isNotFinite)) throw tooLarge(part);
          await file.writeFile(new Uint8Array(halves.buffer));
        }
      }
      onTensor(name, size);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The bf16 nearest to each f32, ties to even. */
const toBf16 = (bytes: Uint8Array<ArrayBuffer>): Uint16Array<ArrayBuffer> =>
  Uint16Array.from(new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4), f32BitsToBf16);

/** Whether a bf16 is infinity or NaN. */
const isNotFinite = (half: number): boolean => (half & 0x7f80) === 0x7f80;

const tooLarge = (tensor: string): CheckpointError =>
  new CheckpointError(
    `${tensor}: expected sums of weights and adapter below 3.39e38, as bf16 holds them, got infinity or NaN. ` +
      "The adapter is damaged, or of another model.",
  );

/** Names in the folder `out`; none if there is no folder. */
const namesIn = (out: string): Promise<string[]> =>
  readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    if (error.code === "ENOTDIR")
      throw outOfRange("out", `expected a folder, got ${out}, which is a file or below one. Name another.`);
    throw error;
  });

/**
 * Runs `write` in a folder of its own inside `out`, then moves its files to `out`. If it fails, `out` is as
 * before.
 */
async function inNewFiles(
  out: string,
  force: boolean,
  write: (folder: string) => Promise<string[]>,
): Promise<string[]> {
  const made = await mkdir(out, { recursive: true });
  const folder = await mkdtemp(join(out, ".partial-"));
  try {
    const files = await write(folder);
    if (force) {
      const old = (await namesIn(out)).filter((name) => isLooseShard(name) || BESIDE.includes(name));
      for (const name of old) await rm(join(out, name));
    }
    for (const name of files) await rename(join(folder, name), join(out, name));
    await rmdir(folder);
    return files;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    // Fails, and leaves the folder, if it holds files of others by now.
    if (made !== undefined) await rmdir(out).catch(() => {});
    throw error;
  }
}

/** Files of a checkpoint beside its weights. */
const BESIDE = [...companionFiles, ...otherVocabularies, INDEX_FILE];
