import type { CacheFormatName } from "../cache-formats/cache-format.ts";
import { cacheLayouts } from "../cache-formats/layouts.ts";
import { type RingSize, rowOf } from "../ring.ts";
import type { Operand, Operation } from "./operation.ts";

export type CopySlotsCall = { readonly op: "copy_slots"; readonly format: CacheFormatName };

/** An item is a key or value head. */
export const copySlots: Operation<CopySlotsCall, Pick<RingSize, "G" | "S" | "d">> = (
  { format },
  size,
  operands,
) => {
  const [cache, params] = operands as [Operand, Operand];
  const words = cacheLayouts[format].words(size.d);

  const copy = (head: number): void => {
    const from = params.u32[0]!;
    const to = params.u32[1]!;
    const first = params.u32[2]!;
    const past = first + params.u32[3]!;
    for (let slot = first; slot < past; ) {
      const end = Math.min(past, slot + size.S - (slot % size.S));
      const source = rowOf(size, from, head, slot) * words;
      cache.u32.copyWithin(rowOf(size, to, head, slot) * words, source, source + (end - slot) * words);
      slot = end;
    }
  };

  return [
    {
      items: 2 * size.G,
      run(first, end) {
        for (let head = first; head < end; head++) copy(head);
      },
    },
  ];
};
