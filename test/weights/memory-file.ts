// A file in memory that can crash at any operation and lose what was not flushed.
import type { RandomAccess } from "../../weights/index.ts";

export class Crash extends Error {}

/** Counts down the operations until the crash; shared by several files. */
export class Fuse {
  left: number;
  constructor(left = Infinity) {
    this.left = left;
  }

  burn(): boolean {
    return this.left-- > 0;
  }
}

export class MemoryFile implements RandomAccess {
  bytes = new Uint8Array();
  readonly #fuse: Fuse;
  #settled = new Uint8Array();

  constructor(fuse = new Fuse()) {
    this.#fuse = fuse;
  }

  size(): number {
    return this.bytes.length;
  }

  read(at: number, length: number): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(at, at + length);
  }

  /** A write during the crash leaves its first half. */
  write(bytes: Uint8Array, at: number): void {
    const whole = this.#fuse.burn();
    const part = whole ? bytes : bytes.subarray(0, bytes.length >> 1);
    if (at + part.length > this.bytes.length) this.#resize(at + part.length);
    this.bytes.set(part, at);
    if (!whole) throw new Crash();
  }

  truncate(size: number): void {
    if (!this.#fuse.burn()) throw new Crash();
    this.#resize(size);
  }

  flush(): void {
    if (!this.#fuse.burn()) throw new Crash();
    this.#settled = this.bytes.slice();
  }

  /** Everything since the last flush is lost. */
  lose(): void {
    this.bytes = this.#settled.slice();
  }

  close(): void {}

  #resize(size: number): void {
    const longer = new Uint8Array(size);
    longer.set(this.bytes.subarray(0, size));
    this.bytes = longer;
  }
}
