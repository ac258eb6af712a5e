import type { CacheFormatName } from "../cache-formats/cache-format.ts";
import { cacheLayouts } from "../cache-formats/layouts.ts";
import { qkvStride, type RingSize, rowOf } from "../ring.ts";
import type { RopeSize } from "../rope.ts";
import type { Operand, Operation } from "./operation.ts";
import { queryScaleAt, turnHead } from "./turn-head.ts";

export type RopeCacheCall = { readonly op: "rope_cache"; readonly format: CacheFormatName };

/** An item is a query, key or value head of a token. */
export const ropeCache: Operation<RopeCacheCall, RopeSize & Pick<RingSize, "S">> = (
  { format },
  size,
  operands,
) => {
  const { T, H, G, d } = size;
  const [qkv, cache, rows, angles] = operands as [Operand, Operand, Operand, Operand];
  const heads = H + 2 * G;
  const entries = new Float32Array(d);

  const compute = (t: number, head: number): void => {
    const position = rows.u32[4 * t + 1]!;
    const at = t * qkvStride(size) + head * d;
    if (head < H) {
      turnHead(qkv.f32, at, d, angles.f32, position, queryScaleAt(size, position));
      return;
    }
    for (let i = 0; i < d; i++) entries[i] = qkv.f32[at + i]!;
    if (head < H + G) turnHead(entries, 0, d, angles.f32, position, 1);
    const row = rowOf(size, rows.u32[4 * t + 2]!, head - H, position);
    cacheLayouts[format].store(format === "f32" ? cache.f32 : cache.u32, row, entries);
  };

  return [
    {
      items: T * heads,
      run(first, end) {
        for (let i = first; i < end; i++) compute(Math.floor(i / heads), i % heads);
      },
    },
  ];
};
