// Which ring's sequence uses which adapter: on the host, and on the GPU where kernels read it. A lazy chunk:
// a model without adapters has none of it.
import { NO_ADAPTER } from "../../kernels/index.ts";
import type { Submitter } from "../gpu/submitter.ts";
import type { AdapterUse, LoadedAdapter } from "./adapter-use.ts";
import type { Lists } from "./step-lists.ts";

/** The loaded adapters on the GPU, and the lists with them. */
interface Adapted {
  readonly lists: Lists;
  /** u32 [rings, 2]: slot or NO_ADAPTER, and the bits of the scale. */
  readonly uses: GPUBuffer;
  /** The adapters in the order of their slots. */
  readonly slots: readonly LoadedAdapter[];
}

export class AdapterUses {
  readonly #queue: Pick<Submitter, "writeBuffer">;
  readonly #rings: (AdapterUse | undefined)[];
  readonly #adapted: Adapted;

  /** @param before those that these replace, on the same device. No pass may be in flight */
  constructor(queue: Pick<Submitter, "writeBuffer">, rings: number, adapted: Adapted, before?: AdapterUses) {
    this.#queue = queue;
    this.#rings = Array.from({ length: rings }, (_, i) => (before ? before.#rings[i] : undefined));
    this.#adapted = adapted;
    for (const ring of this.#rings.keys()) this.#write(ring);
  }

  /** From the next pass on, the sequence in this ring uses this adapter. */
  set(ring: number, use: AdapterUse | undefined): void {
    this.#rings[ring] = use;
    this.#write(ring);
  }

  /** The lists for a pass of these rings, if one has an adapter. */
  listsFor(rings: readonly number[]): Lists | undefined {
    return rings.some((ring) => this.#rings[ring]) ? this.#adapted.lists : undefined;
  }

  #write(ring: number): void {
    const { uses, slots } = this.#adapted;
    const use = this.#rings[ring];
    const slot = use ? slots.indexOf(use.adapter) : -1;
    const words = new Uint32Array([slot < 0 ? NO_ADAPTER : slot, 0]);
    new Float32Array(words.buffer)[1] = use?.scale ?? 0;
    this.#queue.writeBuffer(uses, 8 * ring, words);
  }
}
