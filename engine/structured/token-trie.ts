// The tokens of a vocabulary as a tree of their bytes, in arrays: a node for each byte, in the order of a
// walk from the root.
import type { Machine, State } from "./machine.ts";

export class TokenTrie {
  readonly #bytes: Uint8Array;
  readonly #depths: Uint16Array;
  /** The node after the last one below each: where a walk goes on that does not enter it. */
  readonly #skips: Int32Array;
  /** `#ids[#firsts[node] … #firsts[node + 1]]` end at the node. */
  readonly #firsts: Int32Array;
  readonly #ids: Int32Array;

  /** @param tokens the bytes by id; undefined or empty: not in the tree */
  constructor(tokens: readonly (Uint8Array | undefined)[]) {
    const named = tokens.flatMap((bytes, id) => (bytes?.length ? [{ id, text: latin1(bytes) }] : []));
    named.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : a.id - b.id));
    const bytes: number[] = [];
    const depths: number[] = [];
    const firsts: number[] = [];
    const ids: number[] = [];
    /** The nodes on the way to the last token. */
    const path: number[] = [];
    const skips: number[] = [];
    const close = (depth: number) => {
      for (const node of path.splice(depth)) skips[node] = bytes.length;
    };
    let before = "";
    for (const { id, text } of named) {
      let shared = 0;
      while (shared < before.length && text[shared] === before[shared]) shared++;
      close(shared);
      for (let depth = shared; depth < text.length; depth++) {
        path.push(bytes.length);
        bytes.push(text.charCodeAt(depth));
        depths.push(depth);
        firsts.push(ids.length);
      }
      ids.push(id);
      before = text;
    }
    close(0);
    this.#bytes = Uint8Array.from(bytes);
    this.#depths = Uint16Array.from(depths);
    this.#skips = Int32Array.from(skips);
    this.#firsts = Int32Array.from([...firsts, ids.length]);
    this.#ids = Int32Array.from(ids);
  }

  /** Sets the bits of the tokens that a text in `state` may go on with. */
  allow(machine: Machine, state: State, mask: Uint32Array): void {
    const bytes = this.#bytes;
    const states: State[] = [state];
    for (let node = 0; node < bytes.length; ) {
      const depth = this.#depths[node]!;
      const before = states[depth]!;
      const byte = bytes[node]!;
      const next = before.next[byte] ?? machine.transition(before, byte);
      if (!next) {
        node = this.#skips[node]!;
        continue;
      }
      states[depth + 1] = next;
      for (let i = this.#firsts[node]!; i < this.#firsts[node + 1]!; i++) setBit(mask, this.#ids[i]!);
      node++;
    }
  }
}

export const setBit = (mask: Uint32Array, id: number): void => {
  mask[id >>> 5]! |= 1 << (id & 31);
};

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
