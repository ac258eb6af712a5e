import type { CpuCall } from "../kernel.ts";
import type { MultiplyAddSize } from "../multiply-add.ts";
import type { Operation } from "./operation.ts";

/** Bytes of an item: a thread of the shader has as many. */
const BYTES = 64;

export const multiplyAdd: Operation<CpuCall, MultiplyAddSize> = (
  _,
  { threads, rounds },
  operands,
  { compiled },
) => {
  const [x, y] = operands.map(({ address }) => address!) as [number, number];
  return [
    {
      items: threads,
      run(first, end) {
        // Two items at a time. The second of the last one alone is itself.
        for (let i = first; i < end; i += 2)
          compiled.multiplyAdd(x + i * BYTES, y + i * BYTES, i + 1 < end ? BYTES : 0, rounds);
      },
    },
  ];
};
