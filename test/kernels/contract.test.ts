// Every kernel of coveringKernels against its reference, at its test sizes, on this driver.
import { beforeAll, test } from "vitest";
import type { Kernel } from "../../kernels/index.ts";
import { openTestDevice } from "../helpers.ts";
import { isSlowDriver } from "../slow-driver.ts";
import { checkKernel, kernelCases } from "./contract.ts";
import { runsOn } from "./run-kernel.ts";

let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});

for (const { name, kernel, size } of kernelCases) {
  if (isSlowDriver && !isChosen(kernel, size)) continue;
  test(name, async () => {
    if (runsOn(device, kernel)) await checkKernel(device, kernel, size);
  });
}

/**
 * Of kernels with subgroup operations all sizes, of the others a third: their code is the same on all
 * drivers, and a faster one runs them at all sizes.
 */
function isChosen({ requires = [], testSizes }: Kernel, size: object): boolean {
  return requires.includes("subgroups") || testSizes.indexOf(size) % 3 === 0;
}
