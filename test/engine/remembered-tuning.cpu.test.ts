// Which remembered choice of kernels a load takes.
import { expect, test } from "vitest";
import type { AdapterDescription } from "../../engine/api.ts";
import type { Pipelines } from "../../engine/gpu/dispatch.ts";
import type { Gpu } from "../../engine/gpu/gpu.ts";
import { modelLayout } from "../../engine/graph/layout.ts";
import { modelShape } from "../../engine/graph/shape.ts";
import { chooseKernels } from "../../engine/tuning/kernel-choice.ts";
import { tunedKernels } from "../../engine/tuning/tuning.ts";
import {
  attentionVariants,
  cacheFormats,
  matmulVariants,
  matvecVariants,
  weightFormats,
} from "../../kernels/index.ts";
import { formatsOf } from "../../weights/index.ts";

const config = {
  ...{ L: 1, D: 64, F: 96, H: 4, G: 2, d: 16, V: 101, eps: 1e-5, W: 16 },
  ...{ maxPositions: 64, ropeTheta: 1e4, tied: false, eosTokenIds: [] },
} as unknown as Parameters<typeof modelShape>[0];

const adapter = {
  ...{ name: "unnamed GPU", vendor: "", architecture: "", driver: "", software: false, features: [] },
  ...{ maxBindingBytes: 2 ** 30, maxBufferBytes: 2 ** 30 },
  ...{ maxWorkgroupBytes: 16_384, maxWorkgroupThreads: 256 },
} satisfies AdapterDescription;

/** The name of the file that a load asks for. @param weightBytes small models are never measured unasked */
async function fileOf(changes: Partial<AdapterDescription> = {}, weightBytes = 1e9): Promise<string> {
  const kernels = chooseKernels(adapter, [weightFormats.q4], 1e9);
  const cacheFormat = cacheFormats.f32;
  const shape = modelShape(config, { cacheFormat, kernels, contextLength: 64, chunkLength: 8 });
  const layout = modelLayout(config, formatsOf("q4", config), 2 ** 30);
  let asked = "";
  const store = {
    async read(name: string) {
      asked = name;
      return JSON.stringify({ name, choice: kernels });
    },
    write: () => Promise.reject(new Error("Nothing is to be measured.")),
  };
  const gpu = { adapter: { ...adapter, ...changes } } as Gpu;
  const model = { plan: { weights: "q4" as const, weightBytes }, shape, layout };
  expect(await tunedKernels(gpu, {} as Pipelines, store, model, {})).toEqual(kernels);
  const forgetful = { ...store, read: async () => undefined };
  if (weightBytes < 1e8)
    expect(await tunedKernels(gpu, {} as Pipelines, forgetful, model, {})).toBeUndefined();
  return asked;
}

test("a small model takes what is remembered, and is not measured if nothing is", async () => {
  expect(await fileOf({}, 1e6)).toBe(await fileOf());
});

test("another adapter takes no choice that this one remembers, even if neither has a name", async () => {
  const first = await fileOf();
  expect(await fileOf()).toBe(first);
  const others = [
    { name: "other" },
    { driver: "2" },
    { maxBufferBytes: 2 ** 31 },
    { maxBindingBytes: 2 ** 31 },
  ];
  for (const change of others) expect(await fileOf(change), JSON.stringify(change)).not.toBe(first);
});

test.each([
  ["matvec", matvecVariants],
  ["matmul", matmulVariants],
  ["attention", attentionVariants],
])("with one more variant of %s, nothing is remembered", async (_, variants) => {
  const first = await fileOf();
  const grown: Record<string, object> = variants;
  grown["newest"] = { ...Object.values(grown)[0], requires: ["a feature"] };
  try {
    expect(await fileOf()).not.toBe(first);
  } finally {
    delete grown["newest"];
  }
  expect(await fileOf()).toBe(first);
});
