import { type CacheFormat, cacheLength } from "./cache-formats/cache-format.ts";
import source from "./copy-slots.wgsl?raw";
import type { CopySlotsCall } from "./cpu/copy-slots.ts";
import { type Kernel, lines } from "./kernel.ts";

export interface CopySlotsSize {
  /** Rings of the cache, key/value heads, slots of a ring, head width. */
  B: number;
  G: number;
  S: number;
  d: number;
  /** Maximum of slots that a launch copies. Default S. */
  slots?: number;
  /** Tests only: `params`. */
  params?: readonly [from: number, to: number, first: number, slots: number];
}

const maxSlots = ({ S, slots = S }: CopySlotsSize): number => Math.min(slots, S);

/**
 * Copies the keys and values of a range of slots of one ring to the same slots of another, in one layer.
 * `params`: ring to copy from, ring to copy to, first slot, number of slots. Slot 0 follows slot S - 1.
 */
export const copySlots = (format: CacheFormat): Kernel<CopySlotsSize> => ({
  name: "copy_slots",
  variant: format.name,
  source: [source],
  testSizes: [
    { B: 3, G: 2, S: 7, d: 6, params: [2, 0, 5, 4] },
    { B: 2, G: 1, S: 20, d: 80, slots: 9, params: [0, 1, 15, 9] },
    { B: 2, G: 3, S: 5, d: 2, params: [1, 0, 2, 5] },
    { B: 2, G: 1, S: 5, d: 4, params: [0, 1, 4, 0] },
    { B: 2, G: 2, S: 1100, d: 64, params: [1, 0, 1000, 1090] }, // several lines of workgroups
  ],
  cpu: { op: "copy_slots", format: format.name } satisfies CopySlotsCall,
  bindings: (size) => [
    { name: "cache", type: "u32", length: cacheLength(format, size), writes: true },
    { name: "params", type: "u32", length: 4 },
  ],
  constants: ({ G, S, d }) => ({ G, S, ROW_WORDS: format.words(d) }),
  workgroups: (size) => [...lines(Math.ceil((maxSlots(size) * format.words(size.d)) / 256)), 2 * size.G],
  cost: (size) => ({ passes: { cache: (2 * maxSlots(size)) / (size.B * size.S) } }),
  fill: ({ params }, name) => (name === "params" ? Uint32Array.from(params ?? []) : undefined),
  reference({ G, S, d }, cache, params) {
    const [from = 0, to = 0, first = 0, slots = 0] = params!;
    const words = format.words(d);
    for (let head = 0; head < 2 * G; head++) {
      for (let i = 0; i < slots; i++) {
        const rowOf = (sequence: number) => ((sequence * 2 * G + head) * S + ((first + i) % S)) * words;
        cache.copyWithin(rowOf(to), rowOf(from), rowOf(from) + words);
      }
    }
  },
});
