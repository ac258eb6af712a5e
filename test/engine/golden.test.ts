// The embedded model against the independent reference in test/golden/tiny-mistral, on this driver.
import { afterAll, beforeAll, describe, test } from "vitest";
import { loadModel, type Model } from "../../engine/node.ts";
import { openTestDevice } from "../helpers.ts";
import { isSlowDriver } from "../slow-driver.ts";
import { embeddedModels } from "./golden.ts";

// One device for all: the models share pipelines.
let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});

// SwiftShader compiles for seconds for each format. contract.test.ts has the kernels of the others there, and
// the caches are tested with weights in f32.
const LEFT_OUT = isSlowDriver ? ["f32", "f16", "q4a", "q4k"] : [];

for (const { name, options, checks } of embeddedModels({ short: isSlowDriver })) {
  if (options.cache === undefined && LEFT_OUT.includes(options.weights ?? "")) continue;
  describe(name, () => {
    let model: Model;
    beforeAll(async () => {
      model = await loadModel(undefined, { ...options, device });
    });
    afterAll(() => model?.dispose());
    for (const { name, run } of checks) test(name, () => run(model));
  });
}
