import { partKeys } from "../attention-parts.ts";
import { padded } from "../formats/table.ts";
import type { CpuCall } from "../kernel.ts";
import type { RingSize } from "../ring.ts";
import type { Operand, Operation } from "./operation.ts";

/** An item is a query head of a token. */
export const attentionCombine: Operation<
  CpuCall,
  Pick<RingSize, "T" | "H" | "d" | "W"> & { readonly SPLITS: number }
> = (_, { T, H, d, W, SPLITS }, operands) => {
  const [partial, rows, out] = operands as [Operand, Operand, Operand];
  const values = new Float64Array(d);

  const compute = (t: number, h: number): void => {
    const visible = Math.min(rows.u32[4 * t + 1]! + 1, W);
    const parts = Math.ceil(visible / partKeys(visible, SPLITS));
    const start = (t * H + h) * SPLITS * (2 + d);
    const end = start + parts * (2 + d);
    let largest = -Infinity;
    for (let part = start; part < end; part += 2 + d) largest = Math.max(largest, partial.f32[part]!);
    let sum = 0;
    values.fill(0);
    for (let part = start; part < end; part += 2 + d) {
      const weight = Math.exp(partial.f32[part]! - largest);
      sum += weight * partial.f32[part + 1]!;
      for (let i = 0; i < d; i++) values[i]! += weight * partial.f32[part + 2 + i]!;
    }
    for (let i = 0; i < d; i++) out.f32[t * padded(H * d) + h * d + i] = values[i]! / sum;
  };

  return [
    {
      items: T * H,
      run(first, end) {
        for (let i = first; i < end; i++) compute(Math.floor(i / H), i % H);
      },
    },
  ];
};
