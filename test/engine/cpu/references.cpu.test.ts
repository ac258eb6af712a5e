// A kernel that has no operation yet runs through its reference: with none at all, answers are the same.
import { expect, test } from "vitest";
import { openOwnThread } from "../../../engine/cpu/open.ts";
import type { KernelDevice } from "../../../engine/gpu/dispatch.ts";
import { loadModel } from "../../../engine/node.ts";
import { families } from "../golden.ts";

const folder = new URL("../../golden/families/", import.meta.url).pathname;

// Rolls over a ring; has three query heads for each key head.
for (const name of ["window_7", "odd_group_6x2"]) {
  test(`${name} without operations`, async () => {
    const { family, options, checks } = families.find((each) => each.name === name)!;
    const device = (await openOwnThread()) as KernelDevice;
    const { createKernelPipeline } = device;
    let launches = 0;
    device.createKernelPipeline = ({ cpu, ...kernel }, size) => {
      if (cpu) launches++;
      return createKernelPipeline(kernel, size);
    };
    const model = await loadModel(`${folder}${family}`, { ...options, device });
    for (const { run } of checks) await run(model);
    model.dispose();
    expect(launches).toBeGreaterThan(20);
  });
}
