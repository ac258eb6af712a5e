import type { CopySize } from "../copy.ts";
import type { CpuCall } from "../kernel.ts";
import type { Operand, Operation } from "./operation.ts";

/** Words of an item. */
const PIECE = 2 ** 14;

export const copy: Operation<CpuCall, CopySize> = (_, { words }, operands) => {
  const [x, out] = operands as [Operand, Operand];
  return [
    {
      items: Math.ceil(words / PIECE),
      run(first, end) {
        out.u32.set(x.u32.subarray(first * PIECE, Math.min(words, end * PIECE)), first * PIECE);
      },
    },
  ];
};
