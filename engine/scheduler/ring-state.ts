// A ring's bookkeeping: which tokens of a sequence are in it, and what may be reused of them.
import type { ModelConfig } from "../../weights/index.ts";

/** The pass that wrote keys and values: the other one rounds differently. */
type WrittenBy = "prefill" | "retrace";

/** Tokens from `start` up to the next span came into the ring by this pass. */
export interface Span {
  readonly start: number;
  readonly by: WrittenBy;
}

/** Computes keys and values into the ring of a sequence. */
type Writer = {
  readonly [Name in WrittenBy]: (
    sequence: number,
    ids: readonly number[],
    start: number,
    signal?: AbortSignal,
  ) => Promise<void>;
};

export class RingState {
  /** Which of the rings this is. */
  readonly index: number;
  /** Slots: position p lives in slot p mod S. */
  readonly S: number;
  readonly #window: number;
  #ids: readonly number[] = [];
  /** How `ids` came into the ring, in order. */
  #spans: readonly Span[] = [];
  /** Who wrote them; after a loss the ring at hand is another one, and empty. */
  #writer: Writer | undefined;
  /** One past the highest position written since the ring was last begun anew. */
  #written = 0;

  constructor({ W }: Pick<ModelConfig, "W">, S: number, sequence = 0) {
    this.index = sequence;
    this.S = S;
    this.#window = W ?? S;
  }

  /** Longest start of `ids` whose keys and values can stay, always leaving one token to compute. */
  reusable(ids: readonly number[]): number {
    let shared = 0;
    while (shared < ids.length - 1 && shared < this.#ids.length && ids[shared] === this.#ids[shared])
      shared++;
    return this.#intact(shared) ? shared : 0;
  }

  /** The tokens whose keys and values are in the ring, or were before they rolled out. */
  get ids(): readonly number[] {
    return this.#ids;
  }

  get spans(): readonly Span[] {
    return this.#spans;
  }

  /** The lowest position whose slot was not written over. */
  get oldest(): number {
    return Math.max(0, this.#written - this.S);
  }

  /** Whether the sequence begins with `ids` and all that the last of them sees is there: it may be computed again in place. */
  holds(ids: readonly number[]): boolean {
    return (
      ids.length <= this.#ids.length &&
      ids.every((id, i) => id === this.#ids[i]) &&
      this.#intact(ids.length - 1)
    );
  }

  /** A query at `position` sees (position − W, position]. */
  #intact(position: number): boolean {
    return Math.max(0, position - this.#window + 1) >= this.oldest;
  }

  /** Goes back to the first `length` tokens; what was written after them is taken back. */
  begin(ids: readonly number[], length: number): void {
    this.#ids = ids.slice(0, length);
    this.#spans = this.#spans.filter(({ start }) => start < length);
    if (length === 0) this.#written = 0;
  }

  /** `ids` are the sequence so far; positions up to `written` hold something, beyond `ids` by steps taken back. */
  commit(ids: readonly number[], written: number, by: WrittenBy): void {
    const start = this.#ids.length;
    this.#ids = ids.slice(0, written);
    if (this.#ids.length > start) this.#spans = [...this.#spans, { start, by }];
    this.wrote(written);
  }

  /** Positions up to `end` hold something, perhaps of tokens that are not known yet. */
  wrote(end: number): void {
    this.#written = Math.max(this.#written, end);
  }

  /** The ring holds what the one of `other` does of its first `length` tokens, from `other.oldest` on. */
  copiedPrefix(other: RingState, length: number): void {
    this.#ids = other.#ids.slice(0, length);
    this.#spans = other.#spans.filter(({ start }) => start < length);
    this.#written = other.#written;
    this.#writer = other.#writer;
  }

  /** The ring holds these tokens from position `oldest` on, put there from outside. */
  filled(ids: readonly number[], spans: readonly Span[], oldest: number, writer: Writer): void {
    this.#ids = ids;
    this.#spans = spans;
    this.#written = Math.max(ids.length, oldest + this.S);
    this.#writer = writer;
  }

  /** Whether all is in the ring that this one writes. */
  isHeldBy(writer: Writer): boolean {
    return this.#writer === writer;
  }

  /** Sees to it that all is in this ring. What was lost with another one is computed anew by the same passes, so to the same bits. */
  async restore(writer: Writer, signal?: AbortSignal): Promise<void> {
    if (this.isHeldBy(writer)) return;
    for (const [i, { start, by }] of this.#spans.entries()) {
      const ids = this.#ids.slice(start, this.#spans[i + 1]?.start);
      await writer[by](this.index, ids, start, signal);
    }
    this.#writer = writer;
  }
}
