import { padded } from "../formats/table.ts";
import type { GateUpSize } from "../gate-up.ts";
import { nearAddress, type Operation } from "./operation.ts";
import {
  type ProductCall,
  prepareProduct,
  splitOperands,
  TILE_ROWS,
  type TokenBlock,
  withAddend,
} from "./product.ts";

/** An item is a tile of gate rows, and one of up rows. */
export const gateUp: Operation<ProductCall, GateUpSize> = (call, size, operands, thread) => {
  const { F, F0 = 0, width = F0 + F } = size;
  const { addend } = call;
  const stride = padded(width);
  const products = padded(2 * width);
  const { inputs, own, added, weights } = splitOperands(call, operands, 1);
  const hidden = own[0]!;
  const product = prepareProduct(call, size, inputs, weights, thread);

  const store = (block: TokenBlock, f: number, count: number, gates: number, ups: number) => {
    const { token, tokens, panelRows } = block;
    const { f32 } = thread.heap;
    const fours = Math.floor(count / 4);
    for (let i = 0; i < tokens; i++) {
      const t = token + i;
      const gate = gates + i * panelRows;
      const up = ups + i * panelRows;
      for (let r = 0; added && r < count; r++) {
        const column = 2 * F0 + f + r;
        f32[gate + r] = withAddend(addend, added, products, t, column, f32[gate + r]!);
        f32[up + r] = withAddend(addend, added, products, t, column + F, f32[up + r]!);
      }
      const to = t * stride + F0 + f;
      if (fours > 0) thread.compiled.swiglu(4 * gate, 4 * up, nearAddress(hidden) + 4 * to, fours);
      for (let r = 4 * fours; r < count; r++) {
        const x = f32[gate + r]!;
        hidden.f32[to + r] = (x / (1 + Math.exp(-x))) * f32[up + r]!;
      }
    }
  };
  const run = (first: number, end: number) => {
    const last = Math.min(end * TILE_ROWS, F);
    product.eachBlock((block) => {
      for (let f = first * TILE_ROWS; f < last; f += block.panelRows) {
        const count = Math.min(block.panelRows, last - f);
        const gates = product.multiply(f, count, 0);
        store(block, f, count, gates, product.multiply(F + f, count, 1));
      }
    });
  };
  return [{ items: Math.ceil(F / TILE_ROWS), run }];
};
