// Holds an answer to a format: before each step, the tokens that the grammar of the format allows.
import type { TokenConstraint } from "../scheduler/token-constraint.ts";
import type { Machine, State } from "./machine.ts";
import type { TokenBytes, Vocabulary } from "./token-bytes.ts";
import { setBit } from "./token-trie.ts";

type Mask = Uint32Array<ArrayBuffer>;

/** Masks kept for a format, in bytes. */
const MAX_KEPT_BYTES = 4 * 2 ** 20;

/** The masks of states that were met, by tokens and machine. */
const kept = new WeakMap<TokenBytes, WeakMap<Machine, Map<number, Mask>>>();

export class FormatConstraint implements TokenConstraint {
  readonly #machine: Machine;
  readonly #vocabulary: Vocabulary;
  readonly #endIds: ReadonlySet<number>;
  #tokens: TokenBytes;
  #state: State;
  #complete = false;

  /**
   * @param endIds tokens that end an answer
   * @param continues the answer goes on with a text: its first token keeps its space
   */
  constructor(
    machine: Machine,
    vocabulary: Vocabulary,
    { endIds, continues }: { endIds: ReadonlySet<number>; continues: boolean },
  ) {
    this.#machine = machine;
    this.#vocabulary = vocabulary;
    this.#endIds = endIds;
    this.#tokens = continues ? vocabulary.later : vocabulary.first;
    this.#state = machine.initial;
  }

  /** Set when an end was picked, or nothing but an end could follow. */
  get complete(): boolean {
    return this.#complete;
  }

  mask(): Mask {
    const mask = this.#texts().slice();
    if (this.#state.isEnd) for (const id of this.#endIds) setBit(mask, id);
    return mask;
  }

  /** @throws RangeError for a token that the last mask forbids */
  accept(id: number): void {
    if (this.#endIds.has(id) && this.#state.isEnd) {
      this.#complete = true;
      return;
    }
    let state: State | null = this.#state;
    for (const byte of this.#tokens.tokens[id] ?? []) state = state && this.#machine.transition(state, byte);
    if (!state || !this.#tokens.tokens[id]?.length)
      throw new RangeError(`format: expected a token that it allows, got ${id}. Report this as a bug.`);
    this.#state = state;
    this.#tokens = this.#vocabulary.later;
    this.#complete = state.isEnd && state.places.length === 0;
  }

  /** The tokens that may follow, apart from an end. */
  #texts(): Mask {
    const tokens = this.#tokens;
    const state = this.#machine.capped(this.#state, tokens.longest);
    const machines = kept.get(tokens) ?? new WeakMap<Machine, Map<number, Mask>>();
    kept.set(tokens, machines);
    const masks = machines.get(this.#machine) ?? new Map<number, Mask>();
    machines.set(this.#machine, masks);
    let mask = masks.get(state.id);
    if (!mask) {
      mask = new Uint32Array(Math.ceil(tokens.tokens.length / 32));
      tokens.trie.allow(this.#machine, state, mask);
      if (masks.size * mask.byteLength >= MAX_KEPT_BYTES) masks.clear();
      masks.set(state.id, mask);
    }
    return mask;
  }
}
