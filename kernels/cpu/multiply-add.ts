import type { CpuCall } from "../kernel.ts";
import type { MultiplyAddSize } from "../multiply-add.ts";
import { nearAddress, type Operation } from "./operation.ts";

/** Bytes of an item: a thread of the shader has as many. */
const BYTES = 64;

export const multiplyAdd: Operation<CpuCall, MultiplyAddSize> = (
  _,
  { threads, rounds },
  operands,
  { compiled },
) => {
  const [x, y] = operands.map(nearAddress) as [number, number];
  return [
    {
      items: threads,
      run(first, end) {
        // Three items at a time. Those that the last ones lack are the first of them again.
        for (let i = first; i < end; i += 3)
          compiled.multiplyAdd(
            ...([x + i * BYTES, y + i * BYTES] as const),
            ...([i + 1 < end ? BYTES : 0, i + 2 < end ? 2 * BYTES : 0, rounds] as const),
          );
      },
    },
  ];
};
