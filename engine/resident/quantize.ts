// `sirocco quantize`: writes a checkpoint with its matrices packed in the bytes that the GPU uses. Node only.
import { mkdir, open, readdir, rename, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { formatTable } from "../../kernels/formats/table.ts";
import { padded, type WeightFormatName, weightFormats } from "../../kernels/index.ts";
import {
  type Checkpoint,
  CheckpointError,
  companionFiles,
  type FormatOf,
  formatsByCount,
  formatsOf,
  openCheckpoint,
  otherVocabularies,
  packedHeader,
  packedName,
  packedOrders,
  requiredTensors,
  type Source,
  scaleName,
  type TensorInfo,
  unpackedName,
  writeHeader,
} from "../../weights/node.ts";
import type { Progress } from "../api.ts";
import { Buffers } from "../gpu/buffers.ts";
import { Pipelines, readBuffer } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { callback, checkOptions, oneOf, type Rules, signal as signalRule, text } from "../options/check.ts";
import { outOfRange, wrongType } from "../options/parameter.ts";
import { checkSource, threads } from "../options/tables.ts";
import type { Platform } from "../platform.ts";
import { CHUNK_BYTES, ChunkWriter, chunkBytes } from "./chunk-writer.ts";
import { copyCompanions } from "./copy-companions.ts";
import { conversionOf } from "./encodings.ts";

/** Options of `quantizeModel`. */
export interface QuantizeOptions {
  /**
   * Format to write. Default for checkpoints that are quantised: each matrix in the format that keeps what is
   * stored. Required for others.
   */
  readonly weights?: WeightFormatName;
  /** Folder to write: new or empty. Required. */
  readonly out: string;
  /** Called after each tensor. Default: none. */
  readonly onProgress?: (progress: Progress) => void;
  /** Cancels the work; the folder is then left as it was. Default: none. */
  readonly signal?: AbortSignal;
  /** What computes. Default: as for `loadModel`. */
  readonly adapter?: string;
  /** Threads where the CPU computes, 0 … 128. Default: as for `loadModel`. */
  readonly threads?: number;
}

const quantizeRules: Rules<QuantizeOptions> = {
  weights: oneOf(Object.keys(weightFormats)),
  out: text,
  onProgress: callback,
  signal: signalRule,
  adapter: text,
  threads,
};

/** Result of `quantizeModel`. */
export interface Quantized {
  /** Bytes of the tensors before. */
  readonly before: number;
  /** Bytes of the tensors after. */
  readonly bytes: number;
  /** Formats of the matrices, the one of the most matrices first. */
  readonly formats: readonly WeightFormatName[];
  /** What the checkpoint may have lost. Missing if nothing is known. */
  readonly warnings?: readonly string[];
  /** Names of the files in the new folder. */
  readonly files: readonly string[];
}

const WEIGHTS_FILE = "model.safetensors";
/** Name of the file until it is complete, so that an interrupted one is never read as a checkpoint. */
const PARTIAL_FILE = `${WEIGHTS_FILE}.partial`;

/**
 * @throws CheckpointError if the checkpoint is packed already, or if 4-bit matrices would be rounded again;
 * RangeError if `out` is not empty
 */
export async function quantize(
  platform: Platform,
  spec: string | Source | undefined,
  options: QuantizeOptions,
): Promise<Quantized> {
  const { weights, out, signal } = options ?? {};
  checkOptions("quantizeModel", options, quantizeRules);
  checkSource(spec);
  if (out === undefined) throw wrongType("out", "expected a text, got nothing.");
  const source = typeof spec === "object" ? spec : await platform.openSource(spec, options);
  const opened = await openCheckpoint(source, signal);
  const { checkpoint, formatOf, orders } = toWrite(opened, weights);
  const formats = formatsByCount(checkpoint.config, formatOf);
  return inEmptyFolder(out, async () => {
    const gpu = await platform.openDevice(options);
    const buffers = new Buffers(gpu.device);
    try {
      const files = await copyCompanions(checkpoint, out, signal);
      const partial = join(out, PARTIAL_FILE);
      await writeWeights(new Packer(gpu, buffers, formatOf), checkpoint, orders, partial, options);
      await rename(partial, join(out, WEIGHTS_FILE));
      const after = await openCheckpoint(await platform.openSource(out, {}), signal);
      return {
        ...{ before: opened.bytes, bytes: after.bytes, formats, files: [...files, WEIGHTS_FILE] },
        ...(opened.warnings && { warnings: opened.warnings }),
      };
    } finally {
      buffers.destroy();
      gpu.dispose();
    }
  });
}

/** What to write: the rows as they are read, the format of each matrix, the order of its columns. */
interface ToWrite {
  readonly checkpoint: Checkpoint;
  readonly formatOf: FormatOf;
  /** Of columns and feed-forward entries, by the names of their tensors. */
  readonly orders: ReadonlyMap<string, Uint32Array>;
}

/** @param weights the format that was asked for */
function toWrite(checkpoint: Checkpoint, weights: WeightFormatName | undefined): ToWrite {
  const { source, config, quantised } = checkpoint;
  const inOrder = { orders: new Map<string, Uint32Array>() };
  if (!quantised) {
    if (weights === undefined) {
      const detail = `expected a format, as the weights of ${source.name} are floats, got nothing. Give one, such as q4.`;
      throw wrongType("weights", detail);
    }
    return { checkpoint, formatOf: formatsOf(weights, config), ...inOrder };
  }
  if (!quantised.convertible && !quantised.decoded) {
    throw new CheckpointError(
      `${source.name}: expected an original checkpoint, got one ${quantised.name}. Quantise the original.`,
    );
  }
  if (weights === undefined || weights === quantised.weights)
    return { checkpoint, formatOf: quantised.formatOf, orders: packedOrders(config, quantised) };
  const formatOf = formatsOf(weights, config);
  const bits = (format: WeightFormatName): number => formatTable[format].bits;
  const again = requiredTensors(config).find(({ kind, name }) => {
    const [from, to] = [quantised.formatOf(name), formatOf(name)];
    return kind === "matrix" && bits(from) === 4 && bits(to) === 4 && from !== to;
  });
  if (again) {
    throw new CheckpointError(
      `${source.name}: ${again.name}: expected more than 4 bits to round to ${weights}, got ${quantised.name}: rounding 4 bits to 4 bits again would lose as much once more. Leave out weights (--weights) to keep what is stored, or quantise the original.`,
    );
  }
  return { checkpoint: { ...checkpoint, ...quantised.decoded?.() }, formatOf, ...inOrder };
}

/** Runs `write`. If it fails, removes the files that were written, and the folder if it was made. */
async function inEmptyFolder<T>(out: string, write: () => Promise<T>): Promise<T> {
  const made = await mkdir(out, { recursive: true });
  if ((await readdir(out)).length > 0)
    throw outOfRange("out", `expected a new or empty folder, got ${out}, which holds files. Name another.`);
  try {
    return await write();
  } catch (error) {
    for (const file of [...companionFiles, ...otherVocabularies, PARTIAL_FILE, WEIGHTS_FILE])
      await rm(join(out, file), { force: true });
    // Fails, and leaves the folder, if it holds files of others by now.
    if (made !== undefined) await rmdir(out).catch(() => {});
    throw error;
  }
}

async function writeWeights(
  packer: Packer,
  checkpoint: Checkpoint,
  orders: ReadonlyMap<string, Uint32Array>,
  path: string,
  { onProgress, signal }: QuantizeOptions,
): Promise<void> {
  const stored = packedHeader(checkpoint, packer.formatOf, orders);
  const header = writeHeader(stored.tensors, stored.metadata);
  const starts = new Map(header.tensors.map(({ name, start }) => [name, start]));
  const file = await open(path, "wx");
  const write = async (bytes: Uint8Array, at: number): Promise<void> => {
    await file.write(bytes, 0, bytes.byteLength, at);
  };
  try {
    await write(header.bytes, 0);
    for (const [name, order] of orders)
      await write(new Uint8Array(Uint32Array.from(order).buffer), starts.get(name) ?? 0);
    let loaded = 0;
    for (const tensor of checkpoint.tensors.values()) {
      const at = packer.namesOf(tensor).map((name) => starts.get(name) ?? 0);
      for await (const pieces of packer.pack(checkpoint, tensor, signal)) {
        for (const [i, bytes] of pieces.entries()) {
          await write(bytes, at[i]!);
          at[i]! += bytes.byteLength;
        }
      }
      loaded += tensor.end - tensor.start;
      onProgress?.({ stage: "load", name: tensor.name, loaded, total: checkpoint.bytes });
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the rows of a format on the GPU, by the code that loading uses, and reads them back. */
class Packer {
  readonly #gpu: Gpu;
  readonly #buffers: Buffers;
  readonly formatOf: FormatOf;
  readonly #pipelines: Pipelines;

  constructor(gpu: Gpu, buffers: Buffers, formatOf: FormatOf) {
    this.#gpu = gpu;
    this.#buffers = buffers;
    this.formatOf = formatOf;
    this.#pipelines = Pipelines.of(gpu.device);
  }

  /** The names of a tensor in the file, one for each buffer. */
  namesOf({ name, shape }: TensorInfo): string[] {
    return shape.length > 1 && unpackedName(name) === name ? [packedName(name), scaleName(name)] : [name];
  }

  /** The bytes of a tensor's buffers, some rows at a time. A vector becomes plain f32. */
  async *pack(
    checkpoint: Checkpoint,
    tensor: TensorInfo,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array[]> {
    if (unpackedName(tensor.name) !== tensor.name) {
      // It is read as the format stores it.
      for await (const { bytes } of checkpoint.readRows(tensor, { maxBytes: CHUNK_BYTES, signal }))
        yield [bytes];
      return;
    }
    const isMatrix = tensor.shape.length > 1;
    const [total, K] = isMatrix ? [tensor.shape[0]!, tensor.shape[1]!] : [1, tensor.shape[0]!];
    const format = weightFormats[isMatrix ? this.formatOf(tensor.name) : "f32"];
    const conversion = conversionOf(tensor, format);
    const rowBytes = tensor.rowBytes ?? (tensor.end - tensor.start) / total;
    const maxBytes = chunkBytes(conversion, rowBytes, K);
    const step = Math.min(total, Math.max(1, Math.floor(maxBytes / rowBytes)));
    const { device } = this.#gpu;
    const chunks = new ChunkWriter(device, this.#pipelines, this.#buffers);
    const packed = format
      .bindings(step, padded(K))
      .map(({ name, length }) => this.#buffers.storage(name, length));
    for await (const { rows: R, bytes } of checkpoint.readRows(tensor, { maxBytes, signal })) {
      await chunks.write(conversion, format, { R, K, N: step, row0: 0 }, bytes, packed);
      const lengths = isMatrix ? format.bindings(R, padded(K)).map(({ length }) => 4 * length) : [4 * K];
      const pieces = await this.#gpu.settle(
        Promise.all(packed.map((buffer, i) => readBuffer(device, buffer, 0, lengths[i]!))),
      );
      yield pieces.map((piece) => new Uint8Array(piece));
    }
    // Large tensors differ in size: their buffers do not serve the next one.
    this.#buffers.destroy();
  }
}
