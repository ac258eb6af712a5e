// Allocates the buffers of a model, counts their bytes, and destroys them together.
import { usage } from "./dispatch.ts";

export class Buffers {
  readonly #device: GPUDevice;
  readonly #made: GPUBuffer[] = [];

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** A zeroed storage buffer of `length` words of four bytes. */
  storage(label: string, length: number): GPUBuffer {
    return this.#make(label, length, usage.storage | usage.copySrc | usage.copyDst);
  }

  /** A buffer of `length` words that the host reads: results are copied into it. */
  staging(label: string, length: number): GPUBuffer {
    return this.#make(label, length, usage.mapRead | usage.copyDst);
  }

  get bytes(): number {
    return this.#made.reduce((sum, { size }) => sum + size, 0);
  }

  destroy(): void {
    for (const buffer of this.#made) buffer.destroy();
    this.#made.length = 0;
    // Dawn frees destroyed buffers only at the next submit.
    this.#device.queue.submit([]);
  }

  #make(label: string, length: number, flags: GPUBufferUsageFlags): GPUBuffer {
    const buffer = this.#device.createBuffer({ label, size: Math.max(4, length * 4), usage: flags });
    this.#made.push(buffer);
    return buffer;
  }
}
