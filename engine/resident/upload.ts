// Checkpoint tensors -> resident weights: read by ranges in file order, converted or quantised on the GPU, chunk by chunk.
import { type InputDtype, padded, weightFormats } from "../../kernels/index.ts";
import {
  type Checkpoint,
  FileCheck,
  packedName,
  readRows,
  scaleName,
  type TensorInfo,
  WrongFileError,
} from "../../weights/index.ts";
import type { Progress } from "../api.ts";
import { Buffers } from "../gpu/buffers.ts";
import type { Pipelines } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { MatrixLayout, ModelLayout, PartLayout, VectorLayout } from "../graph/layout.ts";
import { mapTensors } from "../graph/model-tensors.ts";
import type { Weights } from "../graph/weights.ts";
import type { StoredWeights } from "../store/stored-weights.ts";
import type { UploadTarget } from "../store/upload-target.ts";
import { CHUNK_BYTES, convertChunk } from "./convert-chunk.ts";

export interface UploadOptions {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Packed weights: what is in there is not read from the checkpoint, what is not is put there. */
  readonly stored?: StoredWeights | undefined;
}

/** Makes the buffers of all weights and fills them. What it made before a failure belongs to `buffers`. */
export async function uploadWeights(
  gpu: Gpu,
  pipelines: Pipelines,
  buffers: Buffers,
  checkpoint: Checkpoint,
  layout: ModelLayout,
  options: UploadOptions,
): Promise<Weights> {
  const { weights, destinations } = await gpu.scoped(() => makeBuffers(buffers, checkpoint, layout));
  const staging = new Buffers(gpu.device);
  const { stored, signal } = options;
  let storing: Promise<void> = Promise.resolve();
  let check: FileCheck | undefined;
  /** What was all there before had been checked then, and needs no network now. */
  const finishFile = async () => stored?.committed || (await check?.finish(signal));
  try {
    const writer = new ChunkWriter(gpu, pipelines, staging);
    let loaded = 0;
    const count = ({ name }: TensorInfo, bytes: number): void => {
      loaded += bytes;
      options.onProgress?.({ stage: "load", name, loaded, total: checkpoint.bytes });
    };
    for (const tensor of checkpoint.tensors.values()) {
      const to = destinations.get(tensor.name) ?? [];
      if (check?.file !== tensor.file) {
        await finishFile();
        check = new FileCheck(checkpoint.source, tensor.file);
      }
      const before = stored?.state(tensor, to);
      if (stored && (await stored.upload(gpu, tensor, to, signal))) {
        check.skip(tensor, before);
        count(tensor, tensor.end - tensor.start);
        continue;
      }
      const from = { source: check, tensors: checkpoint.tensors };
      for (const destination of to) {
        for await (const bytes of writer.write(from, tensor, destination, signal)) count(tensor, bytes);
      }
      const state = check.stateAfter(tensor, before);
      // Nothing writes to these rows again, so they are read back while the next tensor comes.
      await storing;
      storing = stored?.download(gpu, tensor, to, signal, state) ?? storing;
      storing.catch(() => {}); // Its failure is thrown where it is waited for.
    }
    await finishFile();
    await storing;
    await writer.finish();
    await stored?.commit();
  } catch (error) {
    if (error instanceof WrongFileError) {
      await storing.catch(() => {});
      for (const tensor of checkpoint.tensors.values())
        if (tensor.file === error.file) await stored?.forget(tensor, destinations.get(tensor.name) ?? []);
    }
    throw error;
  } finally {
    await storing.catch(() => {});
    staging.destroy();
  }
  return weights;
}

function makeBuffers(buffers: Buffers, { packed }: Checkpoint, layout: ModelLayout) {
  const destinations = new Map<string, UploadTarget[]>();
  const send = (name: string, destination: UploadTarget) =>
    destinations.set(name, [...(destinations.get(name) ?? []), destination]);

  const part = (matrix: MatrixLayout, { first, count, format, rows, runs }: PartLayout) => {
    const K = padded(matrix.K);
    const made = format
      .bindings(rows, K)
      .map(({ name, length }) => buffers.storage(`${matrix.name} ${name}`, length));
    for (const run of runs) {
      const destination = { ...run, format, N: rows, K: matrix.K };
      if (packed) {
        // Packed tensors are the bytes of these buffers: words of the matrix under one name, of its scales under another.
        const [words, scales] = made;
        send(packedName(run.tensor), { ...destination, buffers: [words!] });
        if (scales) send(scaleName(run.tensor), { ...destination, buffers: [scales] });
      } else {
        send(run.tensor, { ...destination, buffers: made });
      }
    }
    return { first, count, format, buffers: made };
  };

  const vector = ({ tensor, length }: VectorLayout) => {
    const buffer = buffers.storage(tensor, padded(length));
    const run = { tensor, row: 0, rows: 1, at: 0 };
    send(tensor, { ...run, buffers: [buffer], format: weightFormats.f32, N: 1, K: length });
    return buffer;
  };
  const weights: Weights = mapTensors(
    layout,
    (matrix) => matrix.parts.map((piece) => part(matrix, piece)),
    vector,
  );
  return { weights, destinations };
}

/** Writes chunks one after the other; while the GPU converts one, the next is read. */
class ChunkWriter {
  readonly #gpu: Gpu;
  readonly #pipelines: Pipelines;
  readonly #staging: Buffers;
  readonly #range: GPUBuffer;
  #raw: GPUBuffer | undefined;
  #pending: Promise<unknown> = Promise.resolve();

  constructor(gpu: Gpu, pipelines: Pipelines, staging: Buffers) {
    this.#gpu = gpu;
    this.#pipelines = pipelines;
    this.#staging = staging;
    this.#range = staging.storage("rows of a chunk", 4);
  }

  /** Yields the bytes of every chunk when it is on its way. */
  async *write(
    from: Parameters<typeof readRows>[0],
    tensor: TensorInfo,
    to: UploadTarget,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<number, void, void> {
    const range = { from: to.row, to: to.row + to.rows, maxBytes: CHUNK_BYTES, signal };
    for await (const { row, rows, bytes } of readRows(from, tensor, range)) {
      await this.finish();
      const row0 = to.at + row - to.row;
      if (tensor.dtype === "U32") {
        this.#gpu.device.queue.writeBuffer(to.buffers[0]!, row0 * (bytes.byteLength / rows), bytes);
      } else {
        await convertChunk(
          this.#gpu.device,
          this.#pipelines,
          [tensor.dtype as InputDtype, to.format],
          { R: rows, K: to.K, N: to.N, row0 },
          bytes,
          { raw: this.#rawBuffer(Math.ceil(bytes.byteLength / 4) * 4), range: this.#range },
          to.buffers,
        );
      }
      this.#pending = this.#gpu.device.queue.onSubmittedWorkDone();
      yield bytes.byteLength;
    }
  }

  /** Waits for the chunk at hand. */
  async finish(): Promise<void> {
    await this.#gpu.settle(this.#pending);
  }

  /** One buffer for all chunks; a row larger than a chunk makes it grow. */
  #rawBuffer(bytes: number): GPUBuffer {
    if (!this.#raw || this.#raw.size < bytes) {
      this.#raw = this.#staging.storage("chunk as read", Math.max(bytes, CHUNK_BYTES) / 4);
    }
    return this.#raw;
  }
}
