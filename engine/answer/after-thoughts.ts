// Holds an answer to its constraint once the model has thought.
import type { StreamDecoder, Tokenizer } from "../../tokenizer/index.ts";
import type { TokenConstraint } from "../scheduler/token-constraint.ts";
import { overlap } from "./stop-strings.ts";
import { type Thinking, thinkingAfter } from "./thinking.ts";

export interface Thoughts {
  readonly tokenizer: Tokenizer;
  /** Logits of a step. */
  readonly V: number;
  /** Tokens that end an answer: none ends a thought. */
  readonly endIds: ReadonlySet<number>;
  /** A prompt that has opened a thought. */
  readonly opened: readonly number[];
}

export class AfterThoughts implements TokenConstraint {
  readonly #inner: TokenConstraint;
  /** Reads the same tokens as the answer's own. */
  readonly #thinking: Thinking;
  readonly #text: StreamDecoder;
  readonly #free: Uint32Array<ArrayBuffer>;
  readonly #afterTag: readonly (readonly [id: number, text: string])[];
  /** The end of the thought, which may begin the closing tag. */
  #tail = "";

  /** @param inner of the answer, which goes on with a text */
  constructor(inner: TokenConstraint, { tokenizer, V, endIds, opened }: Thoughts) {
    const thinking = thinkingAfter(opened, tokenizer, true, true)!;
    this.#inner = inner;
    this.#thinking = thinking;
    this.#text = tokenizer.stream({ continues: true });
    this.#free = new Uint32Array(Math.ceil(V / 32));
    for (let id = 0; id < V; id++) if (tokenizer.has(id) && !endIds.has(id)) set(this.#free, id, true);
    this.#afterTag =
      thinking.spelledClose === undefined ? [] : textsAfter(thinking.spelledClose, tokenizer, V);
  }

  get complete(): boolean {
    return this.#thinking.hasThought && this.#inner.complete === true;
  }

  mask(): Uint32Array<ArrayBuffer> {
    if (this.#thinking.hasThought) return this.#inner.mask();
    const close = this.#thinking.spelledClose;
    if (close === undefined) return this.#free;
    // A token that ends the tag may not begin the answer, which has a mask of its own.
    const mask = this.#free.slice();
    for (const [id, text] of this.#afterTag) {
      const all = this.#tail + text;
      const at = all.indexOf(close);
      if (at >= 0 && all.slice(at + close.length).trim() !== "") set(mask, id, false);
    }
    return mask;
  }

  forced(): readonly number[] {
    return (this.#thinking.hasThought && this.#inner.forced?.()) || [];
  }

  accept(id: number): void {
    if (this.#thinking.hasThought) {
      this.#inner.accept(id);
      return;
    }
    const text = this.#text.has(id) ? this.#text.push(id) : "";
    const close = this.#thinking.spelledClose;
    if (close !== undefined) {
      const all = this.#tail + text;
      this.#tail = all.slice(all.length - overlap(all, close));
    }
    this.#thinking.push(id, text, false);
  }
}

const set = (mask: Uint32Array, id: number, allowed: boolean): void => {
  const [word, bit] = [id >> 5, 1 << (id & 31)];
  mask[word] = allowed ? mask[word]! | bit : mask[word]! & ~bit;
};

const known = new WeakMap<Tokenizer, readonly (readonly [number, string])[]>();

/** The tokens that may end the tag and have other text after it. */
function textsAfter(close: string, tokenizer: Tokenizer, V: number): readonly (readonly [number, string])[] {
  let found = known.get(tokenizer);
  if (!found) {
    const text = tokenizer.stream({ continues: true });
    const utf8 = new TextDecoder();
    const last = close.slice(-1);
    found = Array.from({ length: V }, (_, id) => [id, utf8.decode(text.bytesHere(id))] as const).filter(
      ([, each]) => each.includes(last) && each.slice(each.indexOf(last) + 1).trim() !== "",
    );
    known.set(tokenizer, found);
  }
  return found;
}
