import { padded } from "../formats/table.ts";
import type { InputSize } from "../matrix-input.ts";
import type { Operand, Operation } from "./operation.ts";

export type GatherCall = { readonly op: "gather"; readonly input: "plain" | "norm" };

/** An item is a row; with a gain, the last item is the gain's. */
export const gather: Operation<GatherCall, InputSize> = ({ input }, { T, K }, operands) => {
  const stride = padded(K);
  const norm = input === "norm";
  const [x, gain, columns, gathered, gatheredGain] = (
    norm ? operands : [operands[0], undefined, ...operands.slice(1)]
  ) as [Operand, Operand, Operand, Operand, Operand];

  const take = (to: Float32Array, from: Float32Array, row: number): void => {
    for (let k = 0; k < stride; k++) to[row + k] = from[row + columns.u32[k]!]!;
  };

  return [
    {
      items: norm ? T + 1 : T,
      run(first, end) {
        for (let t = first; t < end; t++) {
          if (t < T) take(gathered.f32, x.f32, t * stride);
          else take(gatheredGain.f32, gain.f32, 0);
        }
      },
    },
  ];
};
