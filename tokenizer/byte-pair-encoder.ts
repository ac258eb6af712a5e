// Words to ids by merging pairs, the lowest rank first and of one rank the leftmost.

import { refuse } from "./huggingface/tokenizer-file.ts";
import { MergeQueue } from "./merge-queue.ts";

/** Ids stay below this (see tokenizer-file.ts), so that a pair of them is one exact number. */
const PAIR = 1 << 22;
/** Units of work between two yields: some 100 µs. */
const WORK = 2000;
const LONGEST_CACHED = 64;
const MOST_CACHED = 10_000;
/** A longer word is cut where no merge can join. */
const LONG = 64;
const encoder = new TextEncoder();

export interface Merges {
  /** Id of each token that text may become. */
  readonly ids: ReadonlyMap<string, number>;
  readonly pairs: readonly (readonly [left: string, right: string])[];
  /** Tokens that no merge may end in. */
  readonly barred: ReadonlySet<string>;
  readonly unknown: number | undefined;
  readonly byteFallback: boolean;
  readonly fuseUnknown: boolean;
  /** A word that is a token is that token, whatever the merges make of it. */
  readonly wholeWords: boolean;
}

export class BytePairEncoder {
  readonly #rules: Merges;
  /** Rank of a pair of ids. */
  readonly #ranks = new Map<number, number>();
  /** Id that a merge of this rank makes. */
  readonly #made: Int32Array;
  readonly #cache = new Map<string, readonly number[]>();
  readonly #byteIds: readonly (number | undefined)[];
  #joints: ReadonlySet<string> | undefined;

  constructor(rules: Merges) {
    const { ids, pairs, barred } = rules;
    this.#rules = rules;
    this.#made = new Int32Array(pairs.length);
    const idOf = (token: string, rank: number): number =>
      ids.get(token) ?? refuse(`tokenizer.json model.merges[${rank}]`, "tokens of the vocabulary", token);
    pairs.forEach(([left, right], rank) => {
      const whole = left + right;
      if (barred.has(whole) || barred.has(left) || barred.has(right)) return;
      this.#made[rank] = idOf(whole, rank);
      this.#ranks.set(idOf(left, rank) * PAIR + idOf(right, rank), rank);
    });
    this.#byteIds = Array.from({ length: rules.byteFallback ? 256 : 0 }, (_, byte) =>
      ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`),
    );
  }

  /** Appends the ids of a word. */
  *encode(word: string, ids: number[]): Generator<undefined, void> {
    const whole = this.#rules.wholeWords ? this.#rules.ids.get(word) : undefined;
    if (whole !== undefined) ids.push(whole);
    else if (word.length <= LONG) yield* this.#encodePart(word, ids);
    else yield* this.#encodeParts(word, ids);
  }

  *#encodeParts(word: string, ids: number[]): Generator<undefined, void> {
    let work = 0;
    for (const part of this.#parts(word)) {
      yield* this.#encodePart(part, ids);
      work += part.length;
      if (work < WORK) continue;
      work = 0;
      yield;
    }
  }

  /** Pieces of a word that are merged alike together and one by one. */
  *#parts(word: string): Generator<string, void> {
    this.#joints ??= this.#findJoints();
    const { ids } = this.#rules;
    let start = 0;
    let at = 0;
    let before = "";
    for (const character of word) {
      // What is unknown may be fused with its neighbours: it is never cut off.
      const cut =
        before !== "" && ids.has(before) && ids.has(character) && !this.#joints.has(before + character);
      if (cut) {
        yield word.slice(start, at);
        start = at;
      }
      at += character.length;
      before = character;
    }
    yield word.slice(start);
  }

  /** Characters side by side that some merge joins: a token of several characters has one such joint between any two. */
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
    if (part.length <= LONGEST_CACHED) {
      if (this.#cache.size >= MOST_CACHED) this.#cache.clear();
      this.#cache.set(part, found);
    }
    for (let i = 0; i < found.length; i++) {
      if (i % WORK === WORK - 1) yield;
      ids.push(found[i] as number);
    }
  }

  /** The characters as ids, before any merge. */
  *#symbols(part: string): Generator<undefined, number[]> {
    const { ids, unknown, fuseUnknown } = this.#rules;
    const symbols: number[] = [];
    let pending = false;
    let work = 0;
    for (const character of part) {
      if (++work % WORK === 0) yield;
      const id = ids.get(character);
      if (id !== undefined) {
        if (pending) symbols.push(unknown as number);
        pending = false;
        symbols.push(id);
        continue;
      }
      const bytes = this.#bytesOf(character);
      if (bytes) symbols.push(...bytes);
      // Without a token for it the character is left out, as Hugging Face's library does.
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
    const before = new Int32Array(count);
    const queue = new MergeQueue();
    const offer = (left: number, right: number) => {
      const rank = this.#ranks.get((symbols[left] as number) * PAIR + (symbols[right] as number));
      if (rank !== undefined) queue.push(rank, left);
    };
    for (let i = 0; i < count; i++) {
      if (i % WORK === WORK - 1) yield;
      next[i] = i + 1;
      before[i] = i - 1;
      if (i > 0) offer(i - 1, i);
    }
    const gone = -1;
    for (let work = 1; queue.size > 0; work++) {
      if (work % WORK === 0) yield;
      const { rank, at } = queue.pop();
      const right = next[at] as number;
      if (symbols[at] === gone || right >= count) continue;
      const now = this.#ranks.get((symbols[at] as number) * PAIR + (symbols[right] as number));
      // One of the two has become part of another token meanwhile.
      if (now === undefined || this.#made[now] !== this.#made[rank]) continue;
      symbols[at] = this.#made[rank] as number;
      symbols[right] = gone;
      const after = next[right] as number;
      next[at] = after;
      if (after < count) {
        before[after] = at;
        offer(at, after);
      }
      if ((before[at] as number) >= 0) offer(before[at] as number, at);
    }
    for (let i = 0; i < count; i = next[i] as number) found.push(symbols[i] as number);
  }
}
