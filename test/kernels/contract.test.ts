// Every kernel of coveringKernels against its reference, at all its test sizes, on this driver.
import { beforeAll, test } from "vitest";
import { openTestDevice } from "../helpers.ts";
import { checkKernel, kernelCases } from "./contract.ts";
import { runsOn } from "./run-kernel.ts";

let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});

for (const { name, kernel, size } of kernelCases) {
  test(name, async () => {
    if (runsOn(device, kernel)) await checkKernel(device, kernel, size);
  });
}
