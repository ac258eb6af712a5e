// Miniature models of every corner of the shape space against the independent reference: windows, head
// counts, head widths, tied embeddings, shards, dtypes, odd sizes. Weights stay as stored.
import { beforeAll, expect, test } from "vitest";
import { loadModel } from "../../engine/node.ts";
import { openTestDevice } from "../helpers.ts";
import { isSlowDriver } from "../slow-driver.ts";
import { families, withGpuKernels } from "./golden.ts";

const folder = new URL("../golden/families/", import.meta.url).pathname;

// One device for all: the models share pipelines.
let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});

test("all 21 families are here", () => expect(families.length).toBe(21));

// SwiftShader compiles kernels of GPUs for half a minute. contract.test.ts compares each of them there.
const models = isSlowDriver ? families : [...families, withGpuKernels];

for (const { name, family, options, checks } of models) {
  test(name, async () => {
    const model = await loadModel(`${folder}${family}`, { ...options, device });
    for (const { run } of checks) await run(model);
    model.dispose();
  });
}
