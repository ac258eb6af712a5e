// Which bytes of a WebAssembly memory belong to which buffer. The first that fit are taken.
import { PAST_END } from "../../kernels/cpu/operation.ts";

/** A wasm32 memory has 4 GiB. Some engines cannot view its last page. */
const MAX_HEAP_BYTES = 2 ** 32 - 2 ** 16;

/** Bytes of a page of WebAssembly memory. */
export const PAGE = 2 ** 16;

/** Of every heap's memory. The compiled modules expect a maximum. */
export const MEMORY = { initial: 1, maximum: MAX_HEAP_BYTES / PAGE } as const;

const ALIGNMENT = 64;

interface Range {
  offset: number;
  bytes: number;
}

export class Heap {
  /** In order of offsets, never side by side. */
  readonly #free: Range[];
  readonly #end: number;
  /** From here on nothing was ever written: all is zero. */
  #fresh: number;

  /** @param start bytes that no buffer gets */
  constructor(start: number, bytes = MAX_HEAP_BYTES - PAST_END) {
    this.#free = [{ offset: start, bytes: bytes - start }];
    this.#end = bytes;
    this.#fresh = start;
  }

  /** Bytes that the memory needs. */
  get memoryBytes(): number {
    return this.#fresh + PAST_END;
  }

  /**
   * @param kept bytes at the end of the heap that are not taken
   * @returns undefined if there is no room. `used`: the bytes were a buffer's before, and are not zero
   */
  take(wanted: number, kept = 0): { readonly offset: number; readonly used: boolean } | undefined {
    const bytes = aligned(wanted);
    const end = this.#end - kept;
    const at = this.#free.findIndex(
      (range) => Math.min(range.offset + range.bytes, end) - range.offset >= bytes,
    );
    const range = this.#free[at];
    if (!range) return undefined;
    const { offset } = range;
    range.offset += bytes;
    range.bytes -= bytes;
    if (range.bytes === 0) this.#free.splice(at, 1);
    const used = offset < this.#fresh;
    this.#fresh = Math.max(this.#fresh, offset + bytes);
    return { offset, used };
  }

  give(offset: number, taken: number): void {
    const bytes = aligned(taken);
    const at = this.#free.findIndex((range) => range.offset > offset);
    const next = at < 0 ? this.#free.length : at;
    this.#free.splice(next, 0, { offset, bytes });
    this.#join(next);
    this.#join(next - 1);
  }

  /** Joins a free range with the one after it, if they touch. */
  #join(at: number): void {
    const [range, next] = [this.#free[at], this.#free[at + 1]];
    if (!range || !next || range.offset + range.bytes !== next.offset) return;
    range.bytes += next.bytes;
    this.#free.splice(at + 1, 1);
  }
}

const aligned = (bytes: number): number => Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
