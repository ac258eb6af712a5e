// The heaps of the CPU device: which places its buffers have, and the commands that make and clear them.
import type { Place } from "./commands.ts";
import { SCRATCH_BYTES, SCRATCH_START } from "./executor.ts";
import { Heap, MEMORY, PAGE } from "./heap.ts";
import type { Timeline } from "./timeline.ts";

/** Room that the first heap keeps for near buffers: the vectors of a model are made after its rings. */
const KEPT_BYTES = 64 * 2 ** 20;

export class Memory {
  readonly #timeline: Timeline;
  readonly #most: number;
  readonly #heaps: Heap[] = [];
  #used = 0;

  /** @param most bytes of all buffers together */
  constructor(timeline: Timeline, most: number) {
    this.#timeline = timeline;
    this.#most = most;
  }

  /** Bytes that buffers may still take. */
  get left(): number {
    return this.#most - this.#used;
  }

  /**
   * A place of `bytes` zeros: in the first heap, if there is room.
   * @param near in the first heap only, which compiled functions see
   * @returns undefined if there is no near place, no memory for another heap, or not so much left
   */
  take(bytes: number, near: boolean): Place | undefined {
    if (bytes > this.left) return undefined;
    const place = this.#find(bytes, near);
    this.#used += place?.bytes ?? 0;
    return place;
  }

  #find(bytes: number, near: boolean): Place | undefined {
    for (let index = 0; ; index++) {
      const isNew = index === this.#heaps.length;
      if (isNew && !this.#addHeap()) return undefined;
      const heap = this.#heaps[index]!;
      const { memoryBytes } = heap;
      const taken = heap.take(bytes, near || index > 0 ? 0 : KEPT_BYTES);
      if (!taken && (near || (isNew && index > 0))) return undefined;
      if (!taken) continue;
      const place = { heap: index, offset: taken.offset, bytes: Math.ceil(bytes / 4) * 4 };
      if (pages(heap.memoryBytes) > pages(memoryBytes))
        this.#timeline.toAll({ type: "grow", heap: index, bytes: heap.memoryBytes });
      if (taken.used) this.#timeline.toFirst({ type: "clear", place });
      return place;
    }
  }

  give({ heap, offset, bytes }: Place): void {
    this.#heaps[heap]!.give(offset, bytes);
    this.#used -= bytes;
  }

  /** @returns false if there is no memory for it */
  #addHeap(): boolean {
    const { count, sharesMemory } = this.#timeline.threads;
    const start = SCRATCH_START + count * SCRATCH_BYTES;
    let memory: WebAssembly.Memory | undefined;
    try {
      if (sharesMemory) memory = new WebAssembly.Memory({ ...MEMORY, shared: true });
    } catch {
      return false;
    }
    const heap = new Heap(start);
    this.#heaps.push(heap);
    this.#timeline.toAll({ type: "heap", memory });
    this.#timeline.toAll({ type: "grow", heap: this.#heaps.length - 1, bytes: heap.memoryBytes });
    return true;
  }
}

const pages = (bytes: number): number => Math.ceil(bytes / PAGE);
