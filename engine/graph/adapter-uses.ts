// Which ring's sequence uses which adapters: on the host, and on the GPU where kernels read it. A lazy chunk:
// a model without adapters has none of it.
import { USE_WORDS } from "../../kernels/index.ts";
import type { Submitter } from "../gpu/submitter.ts";
import type { AdapterMix, LoadedAdapter } from "./adapter-use.ts";
import type { Lists } from "./step-lists.ts";

/** The loaded adapters on the GPU, and the lists with them. */
interface Adapted {
  readonly lists: Lists;
  /** u32 [rings, USE_WORDS] */
  readonly uses: GPUBuffer;
  /** The adapters in the order of their slots. */
  readonly slots: readonly LoadedAdapter[];
}

export class AdapterUses {
  readonly #queue: Pick<Submitter, "writeBuffer">;
  readonly #rings: (AdapterMix | undefined)[];
  readonly #adapted: Adapted;

  /** @param before those that these replace, on the same device. No pass may be in flight */
  constructor(queue: Pick<Submitter, "writeBuffer">, rings: number, adapted: Adapted, before?: AdapterUses) {
    this.#queue = queue;
    this.#rings = Array.from({ length: rings }, (_, i) => (before ? before.#rings[i] : undefined));
    this.#adapted = adapted;
    for (const ring of this.#rings.keys()) this.#write(ring);
  }

  /** From the next pass on, the sequence in this ring uses these adapters. */
  set(ring: number, mix: AdapterMix | undefined): void {
    this.#rings[ring] = mix;
    this.#write(ring);
  }

  /** The lists for a pass of these rings, if one has an adapter. */
  listsFor(rings: readonly number[]): Lists | undefined {
    return rings.some((ring) => this.#rings[ring]) ? this.#adapted.lists : undefined;
  }

  #write(ring: number): void {
    const { uses, slots } = this.#adapted;
    const words = new Uint32Array(USE_WORDS);
    const factors = new Float32Array(words.buffer);
    const loaded = this.#rings[ring]?.filter(({ adapter }) => slots.includes(adapter)) ?? [];
    words[0] = loaded.length;
    for (const [i, { adapter, scale }] of loaded.entries()) {
      words[2 + 2 * i] = slots.indexOf(adapter);
      factors[3 + 2 * i] = scale;
    }
    this.#queue.writeBuffer(uses, ring * words.byteLength, words);
  }
}
