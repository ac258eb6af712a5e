import type { EmbedSize } from "../embed.ts";
import { layouts } from "../formats/layouts.ts";
import { padded, type WeightFormatName } from "../formats/table.ts";
import type { Buffer } from "../kernel.ts";
import type { Operand, Operation } from "./operation.ts";

interface EmbedCall {
  readonly format: WeightFormatName;
}

/** The buffers of a matrix, as its layout reads them. */
export const buffersOf = (format: WeightFormatName, weight: readonly Operand[]): Buffer[] =>
  weight.map(({ f32, u32 }) => (format === "f32" ? f32 : u32));

/** Items are tokens. */
export const embed: Operation<EmbedCall, EmbedSize> = ({ format }, { T, K, N, N0 = 0 }, operands) => {
  const [rows, x, ...weight] = operands as [Operand, Operand, ...Operand[]];
  const buffers = buffersOf(format, weight);
  const { at } = layouts[format];
  const stride = padded(K);
  return [
    {
      items: T,
      run(first, end) {
        for (let t = first; t < end; t++) {
          const n = rows.u32[4 * t]! - N0;
          if (n < 0 || n >= N) continue;
          // Padding is 0 in x, whatever it is in weights.
          x.f32.fill(0, t * stride + K, (t + 1) * stride);
          for (let k = 0; k < K; k++) x.f32[t * stride + k] = at(buffers, n * stride + k, stride);
        }
      },
    },
  ];
};
