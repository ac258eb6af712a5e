// Holds an answer to a format: before each step, the tokens that the grammar of the format allows.
import type { TokenConstraint } from "../scheduler/token-constraint.ts";
import type { Machine, State } from "./machine.ts";
import type { TokenBytes, Vocabulary } from "./token-bytes.ts";
import { setBit } from "./token-trie.ts";

type Mask = Uint32Array<ArrayBuffer>;

/** Masks kept for a format, in bytes. */
const MAX_KEPT_BYTES = 4 * 2 ** 20;
/** Bytes that are looked ahead for. */
const MAX_FORCED = 512;

/** The masks of states that were met, by tokens and machine. */
const kept = new WeakMap<TokenBytes, WeakMap<Machine, Map<number, Mask>>>();

export class FormatConstraint implements TokenConstraint {
  readonly #machine: Machine;
  readonly #vocabulary: Vocabulary;
  readonly #endIds: ReadonlySet<number>;
  #tokens: TokenBytes;
  #state: State;
  #complete = false;
  /** The bytes of the last token. */
  #last: Uint8Array = new Uint8Array();

  /**
   * @param endIds tokens that end an answer
   * @param continues the answer goes on with a text: its first token keeps its space
   * @param state where the text is in the grammar. Default: at its begin
   */
  constructor(
    machine: Machine,
    vocabulary: Vocabulary,
    {
      endIds,
      continues,
      state = machine.initial,
    }: { readonly endIds: ReadonlySet<number>; readonly continues: boolean; readonly state?: State },
  ) {
    this.#machine = machine;
    this.#vocabulary = vocabulary;
    this.#endIds = endIds;
    this.#tokens = continues ? vocabulary.later : vocabulary.first;
    this.#state = state;
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
    this.#last = this.#tokens.tokens[id]!;
    this.#state = state;
    this.#tokens = this.#vocabulary.later;
    this.#complete = state.isEnd && state.places.length === 0;
  }

  /**
   * The tokens of the text that has to follow, as the tokenizer splits it after the last token, or after a
   * line break if both would become one token. The last of them may become part of a longer one: it is left
   * out, unless the answer ends with it.
   */
  forced(): readonly number[] {
    const { bytes, end } = forcedBytes(this.#machine, this.#state);
    const text = bytes.length > 0 ? whole(bytes) : undefined;
    if (text === undefined) return [];
    const isWhole = end.isEnd && end.places.length === 0;
    const ids =
      this.#split(whole(this.#last) ?? "\n", text, bytes.length) ?? this.#split("\n", text, bytes.length);
    return ids?.slice(0, isWhole ? undefined : -1) ?? [];
  }

  /**
   * The last tokens, of exactly `length` bytes. undefined: a token goes across the border, or the tokenizer
   * has put a space after an added token.
   */
  #split(before: string, text: string, length: number): readonly number[] | undefined {
    const ids = this.#vocabulary.encode(before + text);
    const { tokens } = this.#vocabulary.later;
    let left = length;
    let from = ids.length;
    while (left > 0 && from > 0) left -= tokens[ids[--from]!]?.length ?? Number.POSITIVE_INFINITY;
    const found = ids.slice(from);
    const same = left === 0 && whole(Uint8Array.from(found.flatMap((id) => [...tokens[id]!]))) === text;
    return same ? found : undefined;
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

/** The bytes that have to follow, one by one, and the state after them. */
function forcedBytes(machine: Machine, from: State): { bytes: Uint8Array; end: State } {
  const bytes: number[] = [];
  let end = from;
  while (bytes.length < MAX_FORCED && !end.isEnd) {
    const ranges = end.places.flatMap((place) => place.bytes.ranges);
    const byte = ranges[0]?.[0];
    if (byte === undefined || ranges.some(([low, high]) => low !== byte || high !== byte)) break;
    end = machine.transition(end, byte)!;
    bytes.push(byte);
  }
  return { bytes: Uint8Array.from(bytes), end };
}

/** undefined: not whole characters */
function whole(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
