import { padded } from "../formats/table.ts";
import type { MatvecSize } from "../matvec.ts";
import type { Operation } from "./operation.ts";
import {
  PANEL_ROWS,
  type ProductCall,
  prepareProduct,
  splitOperands,
  TILE_ROWS,
  withAddend,
} from "./product.ts";

/** A matrix times few or many tokens: matvec and matmul. An item is a tile of rows. */
export const matvec: Operation<ProductCall, MatvecSize> = (call, size, operands, thread) => {
  const { N, N0 = 0, width = N0 + N, add = false } = size;
  const { addend } = call;
  const stride = padded(width);
  const { inputs, own, added, weights } = splitOperands(call, operands, 1);
  const y = own[0]!.f32;
  const product = prepareProduct(call, size, inputs, weights, thread);

  const store = (token: number, tokens: number, row: number, rows: number, sums: number) => {
    const { f32 } = thread.heap;
    for (let i = 0; i < tokens; i++) {
      for (let r = 0; r < rows; r++) {
        const column = N0 + row + r;
        const at = (token + i) * stride + column;
        const sum = f32[sums + i * PANEL_ROWS + r]!;
        y[at] = withAddend(addend, added, stride, token + i, column, sum) + (add ? y[at]! : 0);
      }
    }
  };
  const run = (first: number, end: number) => {
    const rowsEnd = Math.min(end * TILE_ROWS, N);
    product.eachBlock((token, tokens) => {
      for (let row = first * TILE_ROWS; row < rowsEnd; row += PANEL_ROWS) {
        const rows = Math.min(PANEL_ROWS, rowsEnd - row);
        store(token, tokens, row, rows, product.multiply(row, rows, 0));
      }
    });
  };
  return [{ items: Math.ceil(N / TILE_ROWS), run }];
};
