// Allocates the buffers of a model, counts their bytes, and destroys them together.
import { type NearDescriptor, usage } from "./dispatch.ts";

const STORAGE = usage.storage | usage.copySrc | usage.copyDst;

export class Buffers {
  readonly #device: GPUDevice;
  readonly #made: GPUBuffer[] = [];
  readonly #groups: Buffers[] = [];

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** A zeroed storage buffer of `length` words of four bytes. */
  storage(label: string, length: number): GPUBuffer {
    return this.#make(label, length, STORAGE);
  }

  /** The same, where compiled functions of the CPU device read and write: what is no matrix and no ring. */
  near(label: string, length: number): GPUBuffer {
    return this.#make(label, length, STORAGE, true);
  }

  /** A buffer of `length` words that the host reads: results are copied into it. */
  staging(label: string, length: number): GPUBuffer {
    return this.#make(label, length, usage.mapRead | usage.copyDst);
  }

  /** Buffers that may be destroyed before the others, and are with them. */
  group(): Buffers {
    const group = new Buffers(this.#device);
    this.#groups.push(group);
    return group;
  }

  get bytes(): number {
    const own = this.#made.reduce((sum, { size }) => sum + size, 0);
    return this.#groups.reduce((sum, { bytes }) => sum + bytes, own);
  }

  destroy(): void {
    for (const group of this.#groups) group.destroy();
    this.#groups.length = 0;
    for (const buffer of this.#made) buffer.destroy();
    this.#made.length = 0;
    // Dawn frees destroyed buffers only at the next submit.
    this.#device.queue.submit([]);
  }

  #make(label: string, length: number, flags: GPUBufferUsageFlags, near = false): GPUBuffer {
    const descriptor: NearDescriptor = { label, size: Math.max(4, length * 4), usage: flags, near };
    const buffer = this.#device.createBuffer(descriptor);
    this.#made.push(buffer);
    return buffer;
  }
}
