import type { EmbedSize } from "../embed.ts";
import { padded, type WeightFormatName } from "../formats/table.ts";
import type { Operand, Operation } from "./operation.ts";
import { rowReader } from "./rows.ts";

interface EmbedCall {
  readonly format: WeightFormatName;
}

/** Items are tokens. */
export const embed: Operation<EmbedCall, EmbedSize> = ({ format }, { T, K, N, N0 = 0 }, operands) => {
  const [rows, x, ...weight] = operands as [Operand, Operand, Operand, Operand?];
  const read = rowReader(format, K, weight);
  return [
    {
      items: T,
      run(first, end) {
        for (let t = first; t < end; t++) {
          const n = rows.u32[4 * t]! - N0;
          if (n >= 0 && n < N) x.f32.set(read(n), t * padded(K));
        }
      },
    },
  ];
};
