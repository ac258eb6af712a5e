import type { QkvSize } from "../qkv.ts";
import { qkvStride } from "../ring.ts";
import { ANGLE_ROWS } from "../rope.ts";
import type { Operation } from "./operation.ts";
import {
  type ProductCall,
  prepareProduct,
  splitOperands,
  TILE_ROWS,
  type TokenBlock,
  withAddend,
} from "./product.ts";

/** An item is two tiles of a head: entries i and i + d/2 of the head rotate together. */
export const qkv: Operation<ProductCall, QkvSize> = (call, size, operands, thread) => {
  const { H, G, d, heads, head0 = 0, queryScale } = size;
  const { addend } = call;
  const half = d / 2;
  const stride = qkvStride(size);
  const { inputs, own, added, weights } = splitOperands(call, operands, 3);
  const [rows, angles, out] = [own[0]!.u32, own[1]!.f32, own[2]!.f32];
  const product = prepareProduct(call, size, inputs, weights, thread);

  const store = (
    { token, tokens, panelRows }: TokenBlock,
    head: number,
    i: number,
    count: number,
    low: number,
    high: number,
  ) => {
    const { f32 } = thread.heap;
    const column = (head0 + head) * d + i;
    const turns = head0 + head < H + G;
    const scales = head0 + head < H && queryScale;
    for (let j = 0; j < tokens; j++) {
      const t = token + j;
      const position = rows[4 * t + 1]!;
      const coarse = 2 * (Math.floor(position / ANGLE_ROWS) * half + i);
      const fine = 2 * ((ANGLE_ROWS + (position % ANGLE_ROWS)) * half + i);
      const scale = scales
        ? 1 + scales.beta * Math.log(1 + Math.floor(position / scales.originalMaxPositions))
        : 1;
      for (let r = 0; r < count; r++) {
        const sum = j * panelRows + r;
        const a = withAddend(addend, added, stride, t, column + r, f32[low + sum]!);
        const b = withAddend(addend, added, stride, t, column + half + r, f32[high + sum]!);
        const at = t * stride + column + r;
        out[at] = a;
        out[at + half] = b;
        if (!turns) continue;
        // The sum formulas for the two angles.
        const c = coarse + 2 * r;
        const f = fine + 2 * r;
        const cos = scale * (angles[c]! * angles[f]! - angles[c + 1]! * angles[f + 1]!);
        const sin = scale * (angles[c + 1]! * angles[f]! + angles[c]! * angles[f + 1]!);
        out[at] = a * cos - b * sin;
        out[at + half] = b * cos + a * sin;
      }
    }
  };
  const tiles = Math.ceil(half / TILE_ROWS);
  const run = (first: number, end: number) => {
    product.eachBlock((block) => {
      for (let item = first; item < end; ) {
        const head = Math.floor(item / tiles);
        const i = (item - head * tiles) * TILE_ROWS;
        const last = Math.min(end, (head + 1) * tiles, item + block.panelRows / TILE_ROWS);
        const count = Math.min((last - item) * TILE_ROWS, half - i);
        const row = head * d + i;
        const low = product.multiply(row, count, 0);
        store(block, head, i, count, low, product.multiply(row + half, count, 1));
        item = last;
      }
    });
  };
  return [{ items: heads * tiles, run }];
};
