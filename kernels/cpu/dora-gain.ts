import type { DoraGainSize } from "../dora-gain.ts";
import { padded, type WeightFormatName } from "../formats/table.ts";
import type { Operand, Operation } from "./operation.ts";
import { rowReader } from "./rows.ts";

interface DoraGainCall {
  readonly format: WeightFormatName;
}

/** Items are rows of this part of the matrix. Rows are added up in the heap of A. */
export const doraGain: Operation<DoraGainCall, DoraGainSize> = ({ format }, size, operands) => {
  const { N, N0, width, K, R, M, slots } = size;
  const [a, b, gains, blocks, columns, isDora, ...weight] = operands as [
    Operand,
    Operand,
    Operand,
    Operand,
    Operand,
    Operand,
    Operand,
    Operand?,
  ];
  const stride = padded(K);
  const kept = 16 + 4 * stride + 4 * padded(R);
  const read = rowReader(format, K, weight, kept);

  const { compiled, heap, scratch } = a.home;
  const sumAt = scratch(kept);
  const adaptedAt = sumAt + 16;
  const factorsAt = adaptedAt + 4 * stride;
  const adapted = heap.f32.subarray(adaptedAt / 4, factorsAt / 4);
  const factors = heap.f32.subarray(factorsAt / 4, factorsAt / 4 + R);
  /** As signed numbers, which are faster indices. */
  const columnOf = new Int32Array(columns.u32.buffer, columns.u32.byteOffset, K);

  /** The sum of the squares of row n under an adapter; `row` is its place in the whole matrix. */
  const squaresOf = (n: number, row: number, slot: number): number => {
    const values = read(n);
    // The columns of A are in order.
    for (let k = 0; k < K; k++) adapted[columnOf[k]!] = values[k]!;
    const at = slot * width + row;
    factors.set(b.f32.subarray(at * R, (at + 1) * R));
    const ofA = a.address + 4 * (slot * M + blocks.u32[row]! * R) * stride;
    compiled.addRows(ofA, R, stride / 4, factorsAt, adaptedAt);
    adapted.fill(0, K);
    compiled.floatProducts(adaptedAt, 1, stride / 4, adaptedAt, 1, sumAt);
    return heap.f32[sumAt / 4]!;
  };

  return [
    {
      items: N,
      run(first, end) {
        for (let n = first; n < end; n++) {
          const row = N0 + n;
          for (let slot = 0; slot < slots; slot++) {
            const at = slot * width + row;
            if (isDora.u32[at] === 0) continue;
            const squares = squaresOf(n, row, slot);
            // A row of zeros has no direction: it stays.
            gains.f32[at] = squares > 0 ? gains.f32[at]! / Math.sqrt(squares) : 0;
          }
        }
      },
    },
  ];
};
