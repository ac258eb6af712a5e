// The host's record of one ring of the KV cache: which tokens are in it, and which of them a new prompt may
// reuse.
import type { ModelConfig } from "../../weights/index.ts";
import { type AdapterMix, sameMix } from "../graph/adapter-use.ts";

/**
 * The pass that wrote keys and values. The two round differently. "retrace" stands for decode steps, also in
 * session files.
 */
type WrittenBy = "prefill" | "retrace";

/** This pass wrote the tokens from `start` up to the next span. */
export interface Span {
  readonly start: number;
  readonly by: WrittenBy;
}

/** Writes keys and values of `ids`, from position `start` on, into a ring. */
type Writer = {
  readonly [Name in WrittenBy]: (
    ring: number,
    ids: readonly number[],
    start: number,
    signal?: AbortSignal,
  ) => Promise<void>;
} & {
  /** From then on, passes of this ring are with these adapters. */
  setAdapters(ring: number, mix: AdapterMix | undefined): void;
};

export class RingState {
  /** Number of the ring, from 0. */
  readonly index: number;
  /** Slots: position p is in slot p mod S. */
  readonly S: number;
  readonly #window: number;
  #mix: AdapterMix | undefined;
  #ids: readonly number[] = [];
  /** Which pass wrote which of `ids`, in order. */
  #spans: readonly Span[] = [];
  /** The decoder that wrote them. After a device loss there is a new decoder, whose ring is empty. */
  #writer: Writer | undefined;
  /**
   * One past the highest position written since the ring was last emptied. It may exceed ids.length: see
   * `commit`.
   */
  #written = 0;

  constructor({ W }: Pick<ModelConfig, "W">, S: number, index = 0) {
    this.index = index;
    this.S = S;
    this.#window = W ?? S;
  }

  /** The adapters that all of the ring is computed with. */
  get mix(): AdapterMix | undefined {
    return this.#mix;
  }

  /** From here on the ring is computed with these adapters, or with none. A change empties it. */
  use(mix: AdapterMix | undefined, writer: Writer): void {
    if (!sameMix(mix, this.#mix)) this.begin([], 0);
    this.#mix = mix;
    writer.setAdapters(this.index, mix);
  }

  /**
   * Length of the longest prefix of `ids` whose keys and values can be reused, at most ids.length - 1.
   * @param mix that `ids` are to be computed with
   */
  reusable(ids: readonly number[], mix?: AdapterMix): number {
    if (!sameMix(mix, this.#mix)) return 0;
    let shared = 0;
    while (shared < ids.length - 1 && shared < this.#ids.length && ids[shared] === this.#ids[shared])
      shared++;
    return this.#intact(shared) ? shared : 0;
  }

  /** The tokens of the sequence. The keys and values of those before `oldest` were overwritten. */
  get ids(): readonly number[] {
    return this.#ids;
  }

  get spans(): readonly Span[] {
    return this.#spans;
  }

  /** The lowest position whose slot was not overwritten. */
  get oldest(): number {
    return Math.max(0, this.#written - this.S);
  }

  /**
   * Whether the sequence begins with `ids`, and the window of the last of them is intact: then it can be
   * recomputed in place.
   */
  holds(ids: readonly number[], mix?: AdapterMix): boolean {
    return (
      sameMix(mix, this.#mix) &&
      ids.length <= this.#ids.length &&
      ids.every((id, i) => id === this.#ids[i]) &&
      this.#intact(ids.length - 1)
    );
  }

  /** Whether the window of a query at `position`, (position − W, position], is in the ring. */
  #intact(position: number): boolean {
    return Math.max(0, position - this.#window + 1) >= this.oldest;
  }

  /** Truncates the sequence to the first `length` of `ids`. */
  begin(ids: readonly number[], length: number): void {
    this.#ids = ids.slice(0, length);
    this.#spans = this.#spans.filter(({ start }) => start < length);
    if (length === 0) this.#written = 0;
  }

  /**
   * Records a pass.
   * @param ids the sequence so far. If it is shorter than before, what follows it is forgotten
   * @param written end of the written positions. Those past ids.length hold tokens of steps that were not
   * used
   */
  commit(ids: readonly number[], written: number, by: WrittenBy): void {
    const start = this.#ids.length;
    this.#ids = ids.slice(0, written);
    this.#spans = this.#spans.filter((span) => span.start < this.#ids.length);
    if (this.#ids.length > start) this.#spans = [...this.#spans, { start, by }];
    this.wrote(written);
  }

  /** Records that positions up to `end` were written, perhaps for tokens that are not known yet. */
  wrote(end: number): void {
    this.#written = Math.max(this.#written, end);
  }

  /** Records a copy of the first `length` tokens of another ring, from its `oldest` on. */
  copiedPrefix(other: RingState, length: number): void {
    this.#ids = other.#ids.slice(0, length);
    this.#spans = other.#spans.filter(({ start }) => start < length);
    this.#written = other.#written;
    this.#writer = other.#writer;
  }

  /** Records a restored session: these tokens, of which the positions from `oldest` on are in the ring. */
  filled(ids: readonly number[], spans: readonly Span[], oldest: number, writer: Writer): void {
    this.#ids = ids;
    this.#spans = spans;
    this.#written = Math.max(ids.length, oldest + this.S);
    this.#writer = writer;
  }

  /** Whether the keys and values are in this decoder's ring. */
  isHeldBy(writer: Writer): boolean {
    return this.#writer === writer;
  }

  /**
   * After a loss, recomputes the keys and values in this decoder's ring, with the same passes and so to the
   * same bits.
   */
  async restore(writer: Writer, signal?: AbortSignal): Promise<void> {
    if (this.isHeldBy(writer)) return;
    writer.setAdapters(this.index, this.#mix);
    for (const [i, { start, by }] of this.#spans.entries()) {
      const ids = this.#ids.slice(start, this.#spans[i + 1]?.start);
      await writer[by](this.index, ids, start, signal);
    }
    this.#writer = writer;
  }
}
