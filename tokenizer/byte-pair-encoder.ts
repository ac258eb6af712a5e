// Byte-pair encoding: merges pairs of tokens in a word, the lowest rank first, then the leftmost.

import { refuse } from "./huggingface/tokenizer-file.ts";
import { MergeQueue } from "./merge-queue.ts";

/** Ids are below this (tokenizer-file.ts checks it), so left · PAIR + right is an exact key of a pair. */
const PAIR = 1 << 22;
/** Units of work between two yields: about 100 µs. */
const STRIDE = 2000;
/** Longest word whose ids are cached, in characters. */
const MAX_CACHED_LENGTH = 64;
const MAX_CACHED_WORDS = 10_000;
/** Longer words are split first, wherever no merge can join two characters. */
const MAX_UNSPLIT_LENGTH = 64;
const encoder = new TextEncoder();

export interface Merges {
  /** The ids of tokens that may be produced from text. */
  readonly ids: ReadonlyMap<string, number>;
  readonly pairs: readonly (readonly [left: string, right: string])[];
  /** Tokens that no merge may use or produce. */
  readonly barred: ReadonlySet<string>;
  readonly unknown: number | undefined;
  readonly byteFallback: boolean;
  readonly fuseUnknown: boolean;
  /** A word that is a token gets that token's id, without merging (`ignore_merges`). */
  readonly wholeWords: boolean;
}

export class BytePairEncoder {
  readonly #rules: Merges;
  /** Rank of each pair of ids, by left · PAIR + right. */
  readonly #ranks = new Map<number, number>();
  /** The id that the merge of each rank produces. */
  readonly #merged: Int32Array;
  readonly #cache = new Map<string, readonly number[]>();
  readonly #byteIds: readonly (number | undefined)[];
  #joints: ReadonlySet<string> | undefined;

  constructor(rules: Merges) {
    const { ids, pairs, barred } = rules;
    this.#rules = rules;
    this.#merged = new Int32Array(pairs.length);
    const idOf = (token: string, rank: number): number =>
      ids.get(token) ?? refuse(`tokenizer.json model.merges[${rank}]`, "tokens of the vocabulary", token);
    pairs.forEach(([left, right], rank) => {
      const whole = left + right;
      if (barred.has(whole) || barred.has(left) || barred.has(right)) return;
      this.#merged[rank] = idOf(whole, rank);
      this.#ranks.set(idOf(left, rank) * PAIR + idOf(right, rank), rank);
    });
    this.#byteIds = Array.from({ length: rules.byteFallback ? 256 : 0 }, (_, byte) =>
      ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`),
    );
  }

  /** Appends the ids of `word` to `ids`. */
  *encode(word: string, ids: number[]): Generator<undefined, void> {
    const whole = this.#rules.wholeWords ? this.#rules.ids.get(word) : undefined;
    if (whole !== undefined) ids.push(whole);
    else if (word.length <= MAX_UNSPLIT_LENGTH) yield* this.#encodePart(word, ids);
    else yield* this.#encodeParts(word, ids);
  }

  *#encodeParts(word: string, ids: number[]): Generator<undefined, void> {
    let work = 0;
    for (const part of this.#parts(word)) {
      yield* this.#encodePart(part, ids);
      work += part.length;
      if (work < STRIDE) continue;
      work = 0;
      yield;
    }
  }

  /** Splits a word into parts that give the same ids whether they are merged together or one by one. */
  *#parts(word: string): Generator<string, void> {
    this.#joints ??= this.#findJoints();
    const { ids } = this.#rules;
    let start = 0;
    let at = 0;
    let previous = "";
    for (const character of word) {
      // Unknown characters may be fused with their neighbours, so there is no cut beside them.
      const cut =
        previous !== "" && ids.has(previous) && ids.has(character) && !this.#joints.has(previous + character);
      if (cut) {
        yield word.slice(start, at);
        start = at;
      }
      at += character.length;
      previous = character;
    }
    yield word.slice(start);
  }

  /** Pairs of characters that some merge joins. A token has a joint between any two of its characters. */
  #findJoints(): ReadonlySet<string> {
    const joints = new Set<string>();
    for (const [left, right] of this.#rules.pairs) {
      const last = left.codePointAt(left.length - 2) ?? 0;
      const end = last > 0xffff ? left.slice(-2) : left.slice(-1);
      joints.add(end + String.fromCodePoint(right.codePointAt(0) ?? 0));
    }
    return joints;
  }

  *#encodePart(part: string, ids: number[]): Generator<undefined, void> {
    const cached = this.#cache.get(part);
    if (cached) {
      for (const id of cached) ids.push(id);
      return;
    }
    const found: number[] = [];
    const symbols = yield* this.#symbols(part);
    yield* this.#merge(symbols, found);
    if (part.length <= MAX_CACHED_LENGTH) {
      if (this.#cache.size >= MAX_CACHED_WORDS) this.#cache.clear();
      this.#cache.set(part, found);
    }
    for (let i = 0; i < found.length; i++) {
      if (i % STRIDE === STRIDE - 1) yield;
      ids.push(found[i] as number);
    }
  }

  /** The ids of the part's characters, before any merge. */
  *#symbols(part: string): Generator<undefined, number[]> {
    const { ids, unknown, fuseUnknown } = this.#rules;
    const symbols: number[] = [];
    let pending = false;
    let work = 0;
    for (const character of part) {
      if (++work % STRIDE === 0) yield;
      const id = ids.get(character);
      if (id !== undefined) {
        if (pending) symbols.push(unknown as number);
        pending = false;
        symbols.push(id);
        continue;
      }
      const bytes = this.#bytesOf(character);
      if (bytes) symbols.push(...bytes);
      // Without an unknown token, Hugging Face's library drops the character, and so do we.
      else if (unknown !== undefined) {
        if (pending && !fuseUnknown) symbols.push(unknown);
        pending = true;
      }
    }
    if (pending) symbols.push(unknown as number);
    return symbols;
  }

  #bytesOf(character: string): number[] | undefined {
    if (this.#byteIds.length === 0) return undefined;
    const ids = Array.from(encoder.encode(character), (byte) => this.#byteIds[byte]);
    return ids.includes(undefined) ? undefined : (ids as number[]);
  }

  *#merge(symbols: number[], found: number[]): Generator<undefined, void> {
    const count = symbols.length;
    const next = new Int32Array(count);
    const previous = new Int32Array(count);
    const queue = new MergeQueue();
    const offer = (left: number, right: number) => {
      const rank = this.#ranks.get((symbols[left] as number) * PAIR + (symbols[right] as number));
      if (rank !== undefined) queue.push(rank, left);
    };
    for (let i = 0; i < count; i++) {
      if (i % STRIDE === STRIDE - 1) yield;
      next[i] = i + 1;
      previous[i] = i - 1;
      if (i > 0) offer(i - 1, i);
    }
    const gone = -1;
    for (let work = 1; queue.size > 0; work++) {
      if (work % STRIDE === 0) yield;
      const { rank, at } = queue.pop();
      const right = next[at] as number;
      if (symbols[at] === gone || right >= count) continue;
      const current = this.#ranks.get((symbols[at] as number) * PAIR + (symbols[right] as number));
      // Skip the entry if one of the two tokens has been merged into another since it was queued.
      if (current === undefined || this.#merged[current] !== this.#merged[rank]) continue;
      symbols[at] = this.#merged[rank] as number;
      symbols[right] = gone;
      const after = next[right] as number;
      next[at] = after;
      if (after < count) {
        previous[after] = at;
        offer(at, after);
      }
      if ((previous[at] as number) >= 0) offer(previous[at] as number, at);
    }
    for (let i = 0; i < count; i = next[i] as number) found.push(symbols[i] as number);
  }
}
