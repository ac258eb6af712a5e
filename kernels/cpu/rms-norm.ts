import { padded } from "../formats/table.ts";
import type { CpuCall } from "../kernel.ts";
import type { RmsNormSize } from "../rms-norm.ts";
import type { Operand, Operation } from "./operation.ts";

/** An item is a row. */
export const rmsNorm: Operation<CpuCall, RmsNormSize> = (_, { T, D, eps }, operands) => {
  const [x, gain, out] = operands as [Operand, Operand, Operand];

  const compute = (row: number): void => {
    let squares = 0;
    for (let i = 0; i < D; i++) squares += x.f32[row + i]! * x.f32[row + i]!;
    const scale = 1 / Math.sqrt(squares / D + eps);
    for (let i = 0; i < D; i++) out.f32[row + i] = x.f32[row + i]! * scale * gain.f32[i]!;
  };

  return [
    {
      items: T,
      run(first, end) {
        for (let t = first; t < end; t++) compute(t * padded(D));
      },
    },
  ];
};
