import type { DoraGainSize } from "../dora-gain.ts";
import { layouts } from "../formats/layouts.ts";
import { padded, type WeightFormatName } from "../formats/table.ts";
import { buffersOf } from "./embed.ts";
import type { Operand, Operation } from "./operation.ts";

interface DoraGainCall {
  readonly format: WeightFormatName;
}

/** Items are rows of this part of the matrix. */
export const doraGain: Operation<DoraGainCall, DoraGainSize> = ({ format }, size, operands) => {
  const { N, N0, width, K, R, M, slots } = size;
  const [a, b, gains, blocks, columns, isDora, ...weight] = operands as [
    Operand,
    Operand,
    Operand,
    Operand,
    Operand,
    Operand,
    ...Operand[],
  ];
  const buffers = buffersOf(format, weight);
  const { at } = layouts[format];
  const stride = padded(K);
  const adapted = new Float64Array(K);
  /** As signed numbers, which are faster indices. */
  const columnOf = new Int32Array(columns.u32.buffer, columns.u32.byteOffset, K);
  return [
    {
      items: N,
      run(first, end) {
        for (let n = first; n < end; n++) {
          for (let slot = 0; slot < slots; slot++) {
            const row = slot * width + N0 + n;
            if (isDora.u32[row] === 0) continue;
            for (let k = 0; k < K; k++) adapted[k] = at(buffers, n * stride + k, stride);
            for (let m = 0; m < R; m++) {
              const factor = b.f32[row * R + m]!;
              const from = (slot * M + blocks.u32[N0 + n]! * R + m) * stride;
              for (let k = 0; k < K; k++) adapted[k]! += factor * a.f32[from + columnOf[k]!]!;
            }
            let squares = 0;
            for (let k = 0; k < K; k++) squares += adapted[k]! * adapted[k]!;
            // A row of zeros has no direction: it stays.
            gains.f32[row] = squares > 0 ? gains.f32[row]! / Math.sqrt(squares) : 0;
          }
        }
      },
    },
  ];
};
