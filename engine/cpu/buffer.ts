// A buffer of the CPU device: bytes of a heap.
import type { Place } from "./commands.ts";

interface BufferOwner {
  /** The bytes of a place, when all before is done. */
  read(place: Place): Promise<ArrayBuffer>;
  release(place: Place): void;
}

export class CpuBuffer {
  readonly label: string;
  readonly size: number;
  readonly usage: number;
  /** undefined: there was no room, or it is destroyed. */
  place: Place | undefined;
  mapped: ArrayBuffer | undefined;
  readonly #device: BufferOwner;

  constructor(
    device: BufferOwner,
    { label = "", size, usage }: GPUBufferDescriptor,
    place: Place | undefined,
  ) {
    this.#device = device;
    this.label = label;
    this.size = size;
    this.usage = usage;
    this.place = place;
  }

  async mapAsync(): Promise<void> {
    this.mapped = await this.#device.read(this.#existing());
  }

  #existing(): Place {
    if (this.place) return this.place;
    throw new DOMException(`buffer "${this.label}" is destroyed`, "OperationError");
  }

  getMappedRange(offset = 0, bytes = this.size - offset): ArrayBuffer {
    if (!this.mapped) throw new DOMException(`buffer "${this.label}" is not mapped`, "OperationError");
    return offset === 0 && bytes === this.size ? this.mapped : this.mapped.slice(offset, offset + bytes);
  }

  unmap(): void {
    this.mapped = undefined;
  }

  destroy(): void {
    this.mapped = undefined;
    if (this.place) this.#device.release(this.place);
    this.place = undefined;
  }
}

/** Bytes of a buffer; undefined if it has none any more. */
export const part = ({ place }: CpuBuffer, at: number, bytes: number): Place | undefined =>
  place && { heap: place.heap, offset: place.offset + at, bytes };
