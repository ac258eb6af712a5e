import { padded } from "../formats/table.ts";
import type { CpuCall } from "../kernel.ts";
import type { SwigluSize } from "../swiglu.ts";
import { nearAddress, type Operand, type Operation } from "./operation.ts";

/** Columns of an item. */
const COLUMNS = 1024;

/** An item is some columns of a row. */
export const swiglu: Operation<CpuCall, SwigluSize> = (
  _,
  { T, F, F0 = 0, width = F0 + F },
  operands,
  { compiled },
) => {
  const [gateUp, hidden] = operands as [Operand, Operand];
  const pieces = Math.ceil(F / COLUMNS);

  const compute = (t: number, first: number, end: number): void => {
    const gate = t * padded(2 * width) + 2 * F0;
    const to = t * padded(width) + F0;
    const fours = Math.floor((end - first) / 4);
    if (fours > 0) {
      const from = nearAddress(gateUp) + 4 * (gate + first);
      compiled.swiglu(from, from + 4 * F, nearAddress(hidden) + 4 * (to + first), fours);
    }
    for (let f = first + 4 * fours; f < end; f++) {
      const x = gateUp.f32[gate + f]!;
      hidden.f32[to + f] = (x / (1 + Math.exp(-x))) * gateUp.f32[gate + F + f]!;
    }
  };

  return [
    {
      items: T * pieces,
      run(first, end) {
        for (let i = first; i < end; i++) {
          const column = (i % pieces) * COLUMNS;
          compute(Math.floor(i / pieces), column, Math.min(F, column + COLUMNS));
        }
      },
    },
  ];
};
