// Reads results back from the GPU: picked tokens, logits, log-probabilities.
import { type Dispatch, MAP_READ, readBuffer } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { PassOptions, Submitter } from "../gpu/submitter.ts";

export class Readback {
  readonly #gpu: Gpu;
  readonly #submitter: Submitter;
  readonly #rows: GPUBuffer;
  readonly #staging: readonly GPUBuffer[];
  /** Which of the staging buffers is next. */
  #turn = 0;

  /**
   * @param rows the rows of a decode step: id, position, ring, 0
   * @param staging picked tokens are read back through these in turn
   */
  constructor(gpu: Gpu, submitter: Submitter, rows: GPUBuffer, staging: readonly GPUBuffer[]) {
    this.#gpu = gpu;
    this.#submitter = submitter;
    this.#rows = rows;
    this.#staging = staging;
  }

  /** Submits passes, the last of which picks tokens. @returns the ids of the first `count` rows */
  async tokens(passes: readonly (readonly Dispatch[])[], count: number): Promise<number[]> {
    const staging = this.#staging[this.#turn]!;
    this.#turn = (this.#turn + 1) % this.#staging.length;
    let mapped: Promise<unknown> | undefined;
    const options: PassOptions = {
      copy: (encoder) => encoder.copyBufferToBuffer(this.#rows, 0, staging, 0, 16 * count),
      finish: () => {
        mapped = staging.mapAsync(MAP_READ);
        return mapped;
      },
    };
    try {
      await this.#submitter.run(passes, options);
      await this.#gpu.settle(mapped!);
      const picked = new Uint32Array(staging.getMappedRange());
      return Array.from({ length: count }, (_, row) => picked[4 * row]!);
    } finally {
      // A buffer left mapped after an error could not be a copy's destination again.
      staging.unmap();
    }
  }

  /** The bytes of a part of a buffer, after all that was submitted. */
  bytes(buffer: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    const { device } = this.#gpu;
    return this.#gpu.settle(this.#submitter.read(() => readBuffer(device, buffer, offset, bytes)));
  }
}
