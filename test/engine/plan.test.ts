// The plan against what loading really makes, its refusals, and a decoded token that makes nothing.
import { beforeAll, describe, expect, test } from "vitest";
import { DeviceError, type LoadOptions, loadModel, planModel } from "../../engine/node.ts";
import { openTestDevice } from "../helpers.ts";
import { watchDevice } from "./watch-device.ts";

const folder = new URL("../golden/families/", import.meta.url).pathname;
const MAP_READ = 1;

// Sizes do not depend on the driver, and Dawn's null backend has no shaders to compile.
let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice(["backend=null"]);
});
const plan = (family: string | undefined, options: LoadOptions = {}) =>
  planModel(family && `${folder}${family}`, { device, ...options });

test.each<[string, LoadOptions]>([
  ["gqa_4x2", {}],
  ["tied", { weights: "f32" }],
  ["two_shards", { weights: "f16", contextLength: 9 }],
  ["odd_vocab_101", { weights: "q4", chunkLength: 7 }],
  ["odd_group_6x2", { weights: "q8", maxBindingBytes: 3000 }],
  ["head_dim_2", { weights: "q4", chunkLength: 1 }],
  ["head_dim_128", { weights: "q8", chunkLength: 33 }],
  // Without a window, a context long enough for attention to be split over the cache.
  ["window_none", { weights: "bf16", contextLength: 5000 }],
])("the plan of %s %j is what loading makes", async (family, options) => {
  const planned = await plan(family, options);
  const own = await openTestDevice(["backend=null"]);
  const { live } = watchDevice(own);
  const model = await loadModel(`${folder}${family}`, { ...options, device: own });
  const storage = [...live].filter(({ usage }) => (usage & MAP_READ) === 0).map(({ size }) => size);
  const { weightBytes, cacheBytes, scratchBytes, totalBytes, largestBindingBytes } = model.plan;
  expect(storage.reduce((sum, size) => sum + size, 0)).toBe(weightBytes + cacheBytes + scratchBytes);
  expect(totalBytes).toBe(weightBytes + cacheBytes + scratchBytes);
  expect(Math.max(...storage)).toBe(largestBindingBytes);
  expect(planned).toEqual({ ...model.plan, adapter: planned.adapter });
  model.dispose();
  expect([...live]).toEqual([]);
  own.destroy();
});

describe("a plan", () => {
  test("of the embedded model: bf16 as stored", async () => {
    const { weights, parameters, checkpointBytes, weightBytes, cacheSlots } = await plan(undefined);
    expect(weights).toBe("bf16");
    expect(checkpointBytes).toBe(2 * parameters);
    // 13 norm gains of 256 are f32 on the GPU.
    expect(weightBytes).toBe(2 * parameters + 2 * 13 * 256);
    expect(cacheSlots).toBe(128 + 512 - 1 + 4);
  });

  test("keeps what is stored in f16 and f32", async () => {
    expect((await plan("f16")).weights).toBe("f16");
    expect((await plan("f32")).weights).toBe("f32");
  });

  test("refuses a cache over the binding limit with the numbers, and the context that it names is the longest", async () => {
    // A slot of G = 2 heads of d = 8 takes 2 · 2 · 8 · 4 bytes of keys and values.
    const most = device.limits.maxStorageBufferBindingSize / 128;
    expect(Number.isInteger(most)).toBe(true);
    const error = await plan("window_none", { contextLength: most + 1 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DeviceError);
    const { maxStorageBufferBindingSize } = device.limits;
    expect((error as Error).message).toMatch(
      new RegExp(
        `cache: .+ at most ${maxStorageBufferBindingSize} bytes, .* ${most + 1} tokens need ${(most + 1) * 128} .*most ${most} `,
      ),
    );
    const { contextLength, largestBindingBytes } = await plan("window_none", { contextLength: most });
    expect([contextLength, largestBindingBytes]).toEqual([most, maxStorageBufferBindingSize]);
  });

  test.each([0, -1, 1.5, Number.NaN, Infinity])("contextLength and chunkLength: not %d", async (value) => {
    for (const name of ["contextLength", "chunkLength"]) {
      const error = await plan("gqa_4x2", { [name]: value }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(RangeError);
      expect((error as Error).message).toBe(`${name}: expected a positive whole number, got ${value}.`);
    }
  });

  test("a weight format that does not exist is named", async () => {
    const weights = "q2" as "q4";
    await expect(plan("gqa_4x2", { weights })).rejects.toThrow(/weights: expected auto, f32, .*, got q2/);
  });
});

test("a decoded token creates nothing", async () => {
  const own = await openTestDevice();
  const watch = watchDevice(own);
  const model = await loadModel(`${folder}window_7`, { device: own, chunkLength: 8 });
  expect(watch.created).toBeGreaterThan(20);
  const answers: number[] = [];
  let before = Number.NaN;
  for await (const { ids } of model.generate([1, 2, 3], {
    maxTokens: 24,
    temperature: 1,
    seed: 1,
    ignoreEos: true,
  })) {
    answers.push(...ids);
    if (answers.length === 1) before = watch.created;
  }
  expect(answers.length).toBe(24);
  expect(watch.created).toBe(before);
  // Nor does a second answer.
  for await (const _ of model.generate([5, 6], { maxTokens: 3 })) expect(watch.created).toBe(before);
  model.dispose();
  own.destroy();
});
