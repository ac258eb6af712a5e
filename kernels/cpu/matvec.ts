import { padded } from "../formats/table.ts";
import type { MatvecSize } from "../matvec.ts";
import type { Operation } from "./operation.ts";
import {
  type ProductCall,
  prepareProduct,
  splitOperands,
  TILE_ROWS,
  type TokenBlock,
  withAddend,
} from "./product.ts";

/** A matrix times few or many tokens: matvec and matmul. An item is a tile of rows. */
export const matvec: Operation<ProductCall, MatvecSize> = (call, size, operands, thread) => {
  const { N, N0 = 0, width = N0 + N, add = false } = size;
  const { addend } = call;
  const stride = padded(width);
  const { inputs, own, added, weights } = splitOperands(call, operands, 1);
  const y = own[0]!.f32;
  const { address: out, home } = own[0]!;
  const product = prepareProduct(call, size, inputs, weights, thread);

  const store = ({ token, tokens, panelRows }: TokenBlock, row: number, rows: number, sums: number) => {
    const { f32 } = thread.heap;
    for (let i = 0; i < tokens; i++) {
      for (let r = 0; r < rows; r++) {
        const column = N0 + row + r;
        const at = (token + i) * stride + column;
        const sum = f32[sums + i * panelRows + r]!;
        y[at] = withAddend(addend, added, stride, token + i, column, sum) + (add ? y[at]! : 0);
      }
    }
  };
  const run = (first: number, end: number) => {
    const row0 = first * TILE_ROWS;
    const rowsEnd = Math.min(end * TILE_ROWS, N);
    product.eachBlock((block) => {
      // With `add`, the blocks of a sum would be added to y one by one, and round in another way.
      if (product.addTo && home.isNear && !added && !add) {
        const at = block.token * stride + N0 + row0;
        for (let i = 0; i < block.tokens; i++) {
          y.fill(0, at + i * stride, at + i * stride + rowsEnd - row0);
        }
        product.addTo(row0, rowsEnd - row0, out + 4 * at, 4 * stride);
        return;
      }
      for (let row = row0; row < rowsEnd; row += block.panelRows) {
        const rows = Math.min(block.panelRows, rowsEnd - row);
        store(block, row, rows, product.multiply(row, rows, 0));
      }
    });
  };
  return [{ items: Math.ceil(N / TILE_ROWS), run }];
};
