import type { CpuCall } from "../kernel.ts";
import { qkvStride } from "../ring.ts";
import type { RopeSize } from "../rope.ts";
import type { Operand, Operation } from "./operation.ts";
import { queryScaleAt, turnHead } from "./turn-head.ts";

/** An item is a query or key head of a token. */
export const qkNorm: Operation<CpuCall, RopeSize & { readonly eps: number }> = (_, size, operands) => {
  const { T, H, G, d, eps } = size;
  const [qkv, gain, rows, angles] = operands as [Operand, Operand, Operand, Operand];

  const compute = (t: number, head: number): void => {
    const position = rows.u32[4 * t + 1]!;
    const at = t * qkvStride(size) + head * d;
    let squares = 0;
    for (let i = 0; i < d; i++) squares += qkv.f32[at + i]! * qkv.f32[at + i]!;
    const scale = 1 / Math.sqrt(squares / d + eps);
    const firstGain = head < H ? 0 : d;
    for (let i = 0; i < d; i++) qkv.f32[at + i] = qkv.f32[at + i]! * scale * gain.f32[firstGain + i]!;
    turnHead(qkv.f32, at, d, angles.f32, position, head < H ? queryScaleAt(size, position) : 1);
  };

  return [
    {
      items: T * (H + G),
      run(first, end) {
        for (let i = first; i < end; i++) compute(Math.floor(i / (H + G)), i % (H + G));
      },
    },
  ];
};
