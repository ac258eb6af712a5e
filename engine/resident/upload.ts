// Checkpoint tensors -> resident weights: read by ranges in file order, and copied, converted or re-packed
// chunk by chunk.
import { padded, weightFormats } from "../../kernels/index.ts";
import {
  type Checkpoint,
  FileCheck,
  type OpenFileHash,
  type TensorInfo,
  unpackedName,
  WrongFileError,
} from "../../weights/index.ts";
import type { Progress } from "../api.ts";
import { Buffers } from "../gpu/buffers.ts";
import type { Pipelines } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import {
  columnOrders,
  type MatrixLayout,
  type ModelLayout,
  type PartLayout,
  type VectorLayout,
} from "../graph/layout.ts";
import { mapTensors } from "../graph/model-tensors.ts";
import type { Weights } from "../graph/weights.ts";
import type { StoredWeights } from "../store/stored-weights.ts";
import type { UploadTarget } from "../store/upload-target.ts";
import { ChunkWriter, chunkBytes } from "./chunk-writer.ts";
import { conversionOf } from "./encodings.ts";
import type { Join } from "./join-vectors.ts";

export interface UploadOptions {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Packed weights. Tensors in there are not read from the checkpoint; the others are written there. */
  readonly stored?: StoredWeights | undefined;
  readonly openFileHash?: OpenFileHash | undefined;
}

/**
 * Makes the buffers of all weights in `buffers` and fills them. After a failure, the caller destroys
 * `buffers`.
 */
export async function uploadWeights(
  gpu: Gpu,
  pipelines: Pipelines,
  buffers: Buffers,
  checkpoint: Checkpoint,
  layout: ModelLayout,
  options: UploadOptions,
): Promise<Weights> {
  const staging = new Buffers(gpu.device);
  const { weights, targetsOf, joins } = await gpu.scoped(() => makeBuffers(gpu, buffers, staging, layout));
  const { stored, signal } = options;
  let storing: Promise<void> = Promise.resolve();
  let check: FileCheck | undefined;
  /** Skipped if all tensors were stored: they were checked then, and this would need the network. */
  const finishFile = async () => stored?.committed || (await check?.finish(signal));
  try {
    const writer = new TensorWriter(gpu, pipelines, staging, checkpoint);
    let loaded = 0;
    const count = ({ name }: TensorInfo, bytes: number): void => {
      loaded += bytes;
      options.onProgress?.({ stage: "load", name, loaded, total: checkpoint.bytes });
    };
    for (const tensor of checkpoint.tensors.values()) {
      const to = targetsOf(tensor);
      if (check?.file !== tensor.file) {
        await finishFile();
        check = new FileCheck(checkpoint.source, tensor.file, options.openFileHash);
      }
      const before = stored?.state(tensor, to);
      if (stored && (await stored.upload(gpu, tensor, to, signal))) {
        check.skip(tensor, before);
        count(tensor, tensor.end - tensor.start);
        continue;
      }
      for (const target of to) {
        for await (const bytes of writer.write(tensor, target, check, signal)) count(tensor, bytes);
      }
      if (!stored) continue;
      const state = check.stateAfter(tensor, before);
      state.catch(() => {}); // It is awaited by `download`.
      // Nothing writes to these rows again: they can be read back while the next tensor is loaded.
      await storing;
      storing = stored.download(gpu, tensor, to, signal, state);
      storing.catch(() => {}); // An error is thrown by the next `await storing`.
    }
    await finishFile();
    await storing;
    await writer.finish();
    if (joins.length > 0) {
      const { joinVectors } = await import("./join-vectors.ts");
      await gpu.settle(joinVectors(gpu.device, joins));
    }
    await stored?.commit();
  } catch (error) {
    if (error instanceof WrongFileError) {
      await storing.catch(() => {});
      for (const tensor of checkpoint.tensors.values())
        if (tensor.file === error.file) await stored?.invalidate(tensor, targetsOf(tensor));
    }
    throw error;
  } finally {
    check?.close();
    await storing.catch(() => {});
    staging.destroy();
  }
  return weights;
}

/**
 * Makes all buffers. `targetsOf` gives the rows of buffers that a tensor is written to. `joins` are to be
 * copied at the end.
 */
function makeBuffers({ device }: Gpu, buffers: Buffers, staging: Buffers, layout: ModelLayout) {
  const orders = new Map(
    columnOrders(layout).map((order) => {
      const buffer = buffers.storage("order of columns", padded(order.length));
      // Padding stays where it is.
      const columns = Uint32Array.from({ length: padded(order.length) }, (_, k) => order[k] ?? k);
      device.queue.writeBuffer(buffer, 0, columns);
      return [order, buffer];
    }),
  );
  const joins: Join[] = [];
  const targets = new Map<string, UploadTarget[]>();
  const send = (tensor: string, target: UploadTarget) =>
    targets.set(tensor, [...(targets.get(tensor) ?? []), target]);

  const part = (matrix: MatrixLayout, { first, count, format, rows, ranges, order }: PartLayout) => {
    const made = format
      .bindings(rows, padded(matrix.K))
      .map(({ name, length }) => buffers.storage(`${matrix.name} ${name}`, length));
    for (const range of ranges) send(range.tensor, { ...range, buffers: made, format, N: rows, K: matrix.K });
    return { first, count, rows, format, columns: order && orders.get(order), buffers: made };
  };
  const vector = ({ tensors, length }: VectorLayout) => {
    const to = buffers.near(tensors.map(({ name }) => name).join(", "), padded(length));
    let at = 0;
    for (const { name: tensor, length } of tensors) {
      const buffer = tensors.length === 1 ? to : staging.storage(tensor, padded(length));
      if (buffer !== to) joins.push({ from: buffer, to, at, length });
      at += length;
      const range = { tensor, row: 0, rows: 1, at: 0 };
      send(tensor, { ...range, buffers: [buffer], format: weightFormats.f32, N: 1, K: length });
    }
    return to;
  };
  const weights: Weights = mapTensors(
    layout,
    (matrix) => matrix.parts.map((piece) => part(matrix, piece)),
    vector,
  );

  const targetsOf = (tensor: TensorInfo): UploadTarget[] =>
    (targets.get(unpackedName(tensor.name)) ?? []).map((target) => {
      const conversion = conversionOf(tensor, target.format);
      return conversion.by === "copy" ? { ...target, buffers: [target.buffers[conversion.buffer]!] } : target;
    });
  return { weights, targetsOf, joins };
}

/** Chunks that the GPU works on, or that wait for it, while the next is read. */
const CHUNKS_IN_FLIGHT = 2;

/** Writes tensors one after the other. */
class TensorWriter {
  readonly #gpu: Gpu;
  readonly #checkpoint: Checkpoint;
  readonly #chunks: ChunkWriter;
  readonly #pending: Promise<unknown>[] = [];

  constructor(gpu: Gpu, pipelines: Pipelines, staging: Buffers, checkpoint: Checkpoint) {
    this.#gpu = gpu;
    this.#checkpoint = checkpoint;
    this.#chunks = new ChunkWriter(gpu.device, pipelines, staging);
  }

  /** Yields the stored bytes of each chunk, once it is submitted. @param check where they are read from */
  async *write(
    tensor: TensorInfo,
    to: UploadTarget,
    check: FileCheck,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<number, void, void> {
    const { format, K, N } = to;
    const conversion = conversionOf(tensor, format);
    const rowBytes = (tensor.end - tensor.start) / (tensor.shape.length > 1 ? tensor.shape[0]! : 1);
    const maxBytes = chunkBytes(conversion, tensor.rowBytes ?? rowBytes, K);
    const range = { from: to.row, to: to.row + to.rows, maxBytes, signal };
    for await (const { row, rows, bytes } of this.#checkpoint.readRows(tensor, range, check)) {
      await this.#wait(CHUNKS_IN_FLIGHT - 1);
      const size = { R: rows, K, N, row0: to.at + row - to.row };
      await this.#chunks.write(conversion, format, size, bytes, to.buffers);
      const done = this.#gpu.device.queue.onSubmittedWorkDone();
      done.catch(() => {}); // An error is thrown where it is awaited.
      this.#pending.push(done);
      yield rows * rowBytes;
    }
  }

  /** Waits for all chunks. */
  finish(): Promise<void> {
    return this.#wait(0);
  }

  /** Waits until at most `count` chunks are in flight. */
  async #wait(count: number): Promise<void> {
    while (this.#pending.length > count) await this.#gpu.settle(this.#pending.shift()!);
  }
}
