// All rings, and which one a sequence gets. A finished conversation keeps its ring until another sequence
// needs it.
import type { AdapterMix } from "../graph/adapter-use.ts";
import type { RingState } from "./ring-state.ts";

interface Slot {
  readonly ring: RingState;
  taken: boolean;
  /** Taken to be read only: giving it back does not count as use. */
  readOnly: boolean;
  /** Order in which rings were given back; 0: never used. */
  usedAt: number;
}

export class RingPool {
  readonly #slots: readonly Slot[];
  #clock = 0;

  constructor(rings: readonly RingState[]) {
    this.#slots = rings.map((ring) => ({ ring, taken: false, readOnly: false, usedAt: 0 }));
  }

  get all(): readonly RingState[] {
    return this.#slots.map(({ ring }) => ring);
  }

  /**
   * The free ring whose conversation `ids` continues, or else the least recently used one. A conversation
   * that shares only its beginning with `ids` keeps its ring: the shared prefix can be copied.
   * @param mix that `ids` are to be computed with. Default: none
   * @returns undefined when all rings are taken
   */
  take(ids: readonly number[], mix?: AdapterMix): RingState | undefined {
    const free = this.#slots.filter(({ taken }) => !taken);
    const oldest = free.toSorted((a, b) => a.usedAt - b.usedAt)[0];
    const [best] = free
      .map((slot) => ({ slot, shared: slot.ring.reusable(ids, mix) }))
      .sort((a, b) => b.shared - a.shared);
    const continues = best && best.shared > best.slot.ring.ids.length - best.shared;
    return this.#hand(continues ? best.slot : oldest);
  }

  /**
   * A free ring that begins with `ids`, the most recently used of several; otherwise as `take`. For callers
   * that leave it unchanged.
   */
  borrow(ids: readonly number[], mix?: AdapterMix): RingState | undefined {
    const holding = this.#slots
      .filter(({ taken, ring }) => !taken && ring.holds(ids, mix))
      .sort((a, b) => b.usedAt - a.usedAt);
    return this.#hand(holding[0]) ?? this.take(ids, mix);
  }

  /** This ring, to read it. @returns undefined while it is taken */
  claim(ring: RingState): RingState | undefined {
    const slot = this.#slots[ring.index]!;
    if (slot.taken) return undefined;
    slot.readOnly = true;
    return this.#hand(slot);
  }

  /** The rings that hold tokens, most recently used first. */
  get used(): readonly RingState[] {
    return this.#slots
      .filter(({ ring }) => ring.ids.length > 0)
      .toSorted((a, b) => b.usedAt - a.usedAt)
      .map(({ ring }) => ring);
  }

  giveBack(ring: RingState): void {
    const slot = this.#slots[ring.index]!;
    slot.taken = false;
    if (!slot.readOnly) slot.usedAt = ++this.#clock;
    slot.readOnly = false;
  }

  /** The ring that shares the longest prefix with `ids`, taken or not. */
  longestPrefix(
    ids: readonly number[],
    mix?: AdapterMix,
  ): { readonly ring: RingState; readonly shared: number } {
    return this.all
      .map((ring) => ({ ring, shared: ring.reusable(ids, mix) }))
      .reduce((a, b) => (b.shared > a.shared ? b : a));
  }

  #hand(slot: Slot | undefined): RingState | undefined {
    if (slot) slot.taken = true;
    return slot?.ring;
  }
}
