// The rings that there are, and which of them a sequence gets: conversations that have ended keep theirs while nobody needs it.
import type { Cache } from "./ring-state.ts";

interface Ring {
  readonly cache: Cache;
  taken: boolean;
  onlyRead: boolean;
  /** The higher, the later it was given back; 0: never used. */
  usedAt: number;
}

export class Rings {
  readonly #rings: readonly Ring[];
  #clock = 0;

  constructor(caches: readonly Cache[]) {
    this.#rings = caches.map((cache) => ({ cache, taken: false, onlyRead: false, usedAt: 0 }));
  }

  get all(): readonly Cache[] {
    return this.#rings.map(({ cache }) => cache);
  }

  /**
   * The ring that goes on with `ids`, or else the one that was used least recently: a conversation that shares only its beginning
   * with `ids` keeps its own, and what is shared can be copied.
   * @returns undefined where all are taken
   */
  take(ids: readonly number[]): Cache | undefined {
    const free = this.#rings.filter(({ taken }) => !taken);
    const oldest = free.toSorted((a, b) => a.usedAt - b.usedAt)[0];
    const [best] = free
      .map((ring) => ({ ring, shared: ring.cache.reusable(ids) }))
      .sort((a, b) => b.shared - a.shared);
    const goesOn = best && best.shared > best.ring.cache.ids.length - best.shared;
    return this.#hand(goesOn ? best.ring : oldest);
  }

  /** A free ring that begins with `ids`, of several the one used last; else as `take`. For those who leave it as it is. */
  borrow(ids: readonly number[]): Cache | undefined {
    const holding = this.#rings
      .filter(({ taken, cache }) => !taken && cache.holds(ids))
      .sort((a, b) => b.usedAt - a.usedAt);
    return this.#hand(holding[0]) ?? this.take(ids);
  }

  /** This one, once it is free: to look into it, which is not a use. */
  claim(cache: Cache): Cache | undefined {
    const ring = this.#rings[cache.sequence]!;
    if (ring.taken) return undefined;
    ring.onlyRead = true;
    return this.#hand(ring);
  }

  /** Those that hold something, the one used last first. */
  get used(): readonly Cache[] {
    return this.#rings
      .filter(({ cache }) => cache.ids.length > 0)
      .toSorted((a, b) => b.usedAt - a.usedAt)
      .map(({ cache }) => cache);
  }

  give(cache: Cache): void {
    const ring = this.#rings[cache.sequence]!;
    ring.taken = false;
    if (!ring.onlyRead) ring.usedAt = ++this.#clock;
    ring.onlyRead = false;
  }

  /** Whoever has most of `ids`, taken or not. */
  longest(ids: readonly number[]): { readonly cache: Cache; readonly shared: number } {
    return this.all
      .map((cache) => ({ cache, shared: cache.reusable(ids) }))
      .reduce((a, b) => (b.shared > a.shared ? b : a));
  }

  #hand(ring: Ring | undefined): Cache | undefined {
    if (ring) ring.taken = true;
    return ring?.cache;
  }
}
