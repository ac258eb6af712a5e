// Chunks of checkpoint rows -> the buffers of a weight format: what loading and packing both do.
import { type ConvertSize, convert, convertRange, type WeightFormat } from "../../kernels/index.ts";
import type { Buffers } from "../gpu/buffers.ts";
import { encode, launch, type Pipelines, wholeWords } from "../gpu/dispatch.ts";
import type { Conversion } from "./encodings.ts";

/** Maximum number of bytes of a tensor on the host at once. A single row may be larger. */
export const CHUNK_BYTES = 8 * 2 ** 20;

/** Bytes of a tensor to read at once, given the bytes of a row: decoded rows may be eight times as long. */
export const chunkBytes = (conversion: Conversion, rowBytes: number, K: number): number =>
  conversion.by === "convert" && conversion.decode
    ? Math.floor((CHUNK_BYTES * rowBytes) / Math.max(rowBytes, 4 * K))
    : CHUNK_BYTES;

/**
 * Bytes of a `writeBuffer`. Dawn copies up to 4 MiB through a ring of staging memory; for more it allocates,
 * clears and frees memory at each call (DynamicUploader).
 */
const WRITE_BYTES = 4 * 2 ** 20;

/**
 * Writes chunks through the same staging buffers: a queue runs its writes and passes in order. The bytes of a
 * chunk stay on the host until then, so callers wait now and then.
 */
export class ChunkWriter {
  readonly #device: GPUDevice;
  readonly #pipelines: Pipelines;
  readonly #staging: Buffers;
  /** u32 [4]: the rows that a chunk becomes. */
  readonly #range: GPUBuffer;
  /** A chunk as read. A row larger than a chunk makes it grow. */
  #raw: GPUBuffer | undefined;

  constructor(device: GPUDevice, pipelines: Pipelines, staging: Buffers) {
    this.#device = device;
    this.#pipelines = pipelines;
    this.#staging = staging;
    this.#range = staging.storage("rows of a chunk", 4);
  }

  /**
   * Submits the writing of rows [row0, row0 + R) of `to`, the buffers of `format`. `bytes` are R rows as
   * stored.
   */
  async write(
    conversion: Conversion,
    format: WeightFormat,
    size: ConvertSize,
    bytes: Uint8Array<ArrayBuffer>,
    to: readonly GPUBuffer[],
  ): Promise<void> {
    const { R, K } = size;
    if (conversion.by === "convert") {
      const floats = conversion.decode?.(bytes, R, K) ?? bytes;
      return this.#convert(convert(conversion.dtype, format), size, floats, to);
    }
    const pieces = conversion.by === "copy" ? [bytes] : conversion.repack(bytes, R, K);
    for (const [i, piece] of pieces.entries())
      this.#upload(to[i]!, size.row0 * (piece.byteLength / R), piece);
  }

  async #convert(
    kernel: ReturnType<typeof convert>,
    size: ConvertSize,
    bytes: Uint8Array<ArrayBuffer>,
    to: readonly GPUBuffer[],
  ): Promise<void> {
    const { queue } = this.#device;
    const words = Math.ceil(bytes.byteLength / 4);
    if (!this.#raw || this.#raw.size < 4 * words)
      this.#raw = this.#staging.storage("chunk as read", Math.max(words, CHUNK_BYTES / 4));
    this.#upload(this.#raw, 0, wholeWords(bytes));
    queue.writeBuffer(this.#range, 0, convertRange(size));
    const dispatch = await this.#pipelines.prepare(launch(kernel, size, this.#raw, this.#range, ...to));
    const encoder = this.#device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encode(pass, [dispatch]);
    pass.end();
    queue.submit([encoder.finish()]);
  }

  #upload(buffer: GPUBuffer, at: number, bytes: Uint8Array<ArrayBuffer>): void {
    for (let from = 0; from < bytes.byteLength; from += WRITE_BYTES) {
      const size = Math.min(WRITE_BYTES, bytes.byteLength - from);
      this.#device.queue.writeBuffer(buffer, at + from, bytes, from, size);
    }
  }
}
