// The operations of matrix products against their kernels' references, in any partition of the work.
import { expect, test } from "vitest";
import { kernelLabel } from "../../../engine/gpu/dispatch.ts";
import { type Kernel, quantizeInput } from "../../../kernels/index.ts";
import { compareBuffers } from "../contract.ts";
import { contents } from "../run-kernel.ts";
import { runOperation } from "./run-operation.ts";

const kernels = [
  ...(["natural", "even_odd"] as const).flatMap((order) => [
    quantizeInput(order),
    quantizeInput(order, "norm"),
  ]),
] as Kernel[];

for (const kernel of kernels) {
  for (const size of kernel.testSizes)
    test(`${kernelLabel(kernel)} ${JSON.stringify(size)}`, () => {
      const host = kernel.bindings(size).map((binding, i) => contents(kernel, size, binding, i + 1));
      const results = runOperation(kernel, size, host, 1);
      const again = [2, 3].map((threads) => runOperation(kernel, size, host, threads));
      kernel.reference(size, ...host);
      compareBuffers(kernel, size, results, host);
      for (const each of again) expect(each).toEqual(results);
    });
}
