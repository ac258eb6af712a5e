import { GROUP, padded } from "../formats/table.ts";
import type { CodeOrder } from "../kernel.ts";
import type { InputSize } from "../matrix-input.ts";
import { nearAddress, type Operation } from "./operation.ts";

export type QuantizeInputCall = {
  readonly op: "quantize_input";
  readonly order: CodeOrder;
  readonly input: "plain" | "norm";
};

/** An item is a row. */
export const quantizeInput: Operation<QuantizeInputCall, InputSize> = (
  { order, input },
  { T, K, eps = 1e-5 },
  operands,
  { compiled },
) => {
  const addresses = operands.map(nearAddress);
  const [x, gain, codes, groups] = input === "norm" ? addresses : [addresses[0], 0, ...addresses.slice(1)];
  const stride = padded(K);
  const run = (first: number, end: number) => {
    for (let t = first; t < end; t++) {
      compiled.quantizeRow(
        ...([x! + 4 * t * stride, gain!, stride / GROUP, K, eps, order === "even_odd" ? 1 : 0] as const),
        ...([codes! + t * stride, groups! + (8 * t * stride) / GROUP] as const),
      );
    }
  };
  return [{ items: T, run }];
};
