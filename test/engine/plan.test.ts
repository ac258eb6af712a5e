// The plan against what loading creates, its refusals, and decode steps that create nothing.
import { beforeAll, describe, expect, test } from "vitest";
import { DeviceError, type LoadOptions, loadModel, planModel } from "../../engine/node.ts";
import { planModel as planCheckpoint } from "../../engine/resident/plan.ts";
import { folderSource, openCheckpoint } from "../../weights/node.ts";
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
  ["head_dim_2", { weights: "q4", chunkLength: 1, cache: "f16" }],
  ["head_dim_128", { weights: "q8", chunkLength: 33, cache: "q8" }],
  ["odd_heads_3x1", { cache: "q8" }],
  // Without a window, a context long enough for attention to be split over the cache.
  ["window_none", { weights: "bf16", contextLength: 5000, cache: "f16" }],
])("the plan of %s %j equals what loading creates", async (family, options) => {
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

  test("keeps tensors stored in f16 and f32", async () => {
    expect((await plan("f16")).weights).toBe("f16");
    expect((await plan("f32")).weights).toBe("f32");
  });

  test("refuses a cache over the binding limit with the numbers, and names the longest context that fits", async () => {
    // A slot of G = 2 heads of d = 8 takes 2 · 2 · 8 · 4 bytes of keys and values.
    const most = device.limits.maxStorageBufferBindingSize / 128;
    expect(Number.isInteger(most)).toBe(true);
    const cache = "f32";
    const options = { cache, contextLength: most + 1 } as const;
    const error = await plan("window_none", options).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DeviceError);
    const { maxStorageBufferBindingSize } = device.limits;
    expect((error as Error).message).toMatch(
      new RegExp(
        `cache: .+ at most ${maxStorageBufferBindingSize} bytes, .* ${most + 1} tokens in f32 need ${(most + 1) * 128} .*most ${most} tokens, or for a cache in f16 \\(${2 * most}\\) or q8 \\(${Math.floor((128 / 48) * most)}\\)\\.$`,
      ),
    );
    const { contextLength, largestBindingBytes } = await plan("window_none", { cache, contextLength: most });
    expect([contextLength, largestBindingBytes]).toEqual([most, maxStorageBufferBindingSize]);
  });

  test.each([0, -1, 1.5, Number.NaN, Infinity])("contextLength and chunkLength: not %d", async (value) => {
    for (const name of ["contextLength", "chunkLength"]) {
      const error = await plan("gqa_4x2", { [name]: value }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(RangeError);
      expect((error as Error).message).toBe(`${name}: expected a positive whole number, got ${value}.`);
    }
  });

  test("q8 is the smallest cache: beyond it only a shorter context fits", async () => {
    // A slot takes 2 · 2 · (2 words of codes + 1 of scale).
    const most = Math.floor(device.limits.maxStorageBufferBindingSize / 48);
    const options = { contextLength: most + 1 };
    const message = new RegExp(
      `in q8 need ${(most + 1) * 48} a layer\\. Ask for a context of at most ${most} tokens\\.$`,
    );
    await expect(plan("window_none", options)).rejects.toThrow(message);
    await expect(plan("window_none", { ...options, cache: "q8" })).rejects.toThrow(message);
    expect((await plan("window_none", { contextLength: most })).cache).toBe("q8");
  });

  test("takes f32 up to 512 MiB, f16 up to 6 GiB in all, then q8; less if a layer exceeds the binding limit", async () => {
    const checkpoint = await openCheckpoint(folderSource(`${folder}window_none`));
    const { adapter } = await plan("window_none");
    const planned = (contextLength: number, maxBindingBytes: number) => {
      const roomy = { ...adapter, maxBindingBytes, maxBufferBytes: 2 ** 40 };
      return planCheckpoint(checkpoint, roomy, { contextLength, chunkLength: 16, parallel: 1 }).plan;
    };
    // Two layers of G = 2 heads of d = 8: 256 bytes a token in f32, 128 in f16.
    const exact = 2 ** 29 / 256;
    const { totalBytes, cacheBytes } = planned(exact + 1, 2 ** 40);
    const half = Math.floor((6 * 2 ** 30 - totalBytes + cacheBytes) / 128);
    const formats = [exact, exact + 1, half, half + 1].map((tokens) => planned(tokens, 2 ** 40).cache);
    expect(formats).toEqual(["f32", "f16", "f16", "q8"]);
    const tight = [64, 65, 128, 129].map((tokens) => planned(tokens, 64 * 128).cache);
    expect(tight).toEqual(["f32", "f16", "f16", "q8"]);
  });

  test("has room for two concurrent answers in the formats of one if both fit in 6 GiB", async () => {
    const checkpoint = await openCheckpoint(folderSource(`${folder}window_none`));
    const { adapter } = await plan("window_none");
    const roomy = { ...adapter, maxBindingBytes: 2 ** 40, maxBufferBytes: 2 ** 40 };
    const planned = (options: LoadOptions) =>
      planCheckpoint(checkpoint, roomy, { cache: "f32", chunkLength: 16, ...options }).plan;
    const many = (contextLength: number) => planned({ contextLength });
    // Nearly all of it is the cache: 256 bytes a token and ring.
    const most = 3 * 2 ** 30;
    expect(many(most / 256 - 1000)).toMatchObject({
      parallel: 2,
      rings: 2,
      cacheBytes: 2 * (most - 256_000),
    });
    expect(many(most / 256)).toMatchObject({ parallel: 1, rings: 1, cacheBytes: most });
    expect(planned({ contextLength: 99, rings: 1 })).toMatchObject({ parallel: 1, rings: 1 });
    expect(planned({ contextLength: 99, rings: 5 })).toMatchObject({ parallel: 2, rings: 5 });
    expect(planned({ contextLength: 99, parallel: 1 })).toMatchObject({ parallel: 1, rings: 1 });
    // Room for two answers never costs one answer its better format.
    const auto = planCheckpoint(checkpoint, roomy, { contextLength: 2 ** 29 / 256 });
    expect(auto.plan).toMatchObject({ cache: "f32", parallel: 2 });
  });

  test("an unknown cache format is named", async () => {
    const cache = "q4" as "q8";
    await expect(plan("gqa_4x2", { cache })).rejects.toThrow(
      /^cache: expected auto, f32, f16, q8, got "q4"\.$/,
    );
  });

  test("an unknown weight format is named", async () => {
    const weights = "q2" as "q4";
    await expect(plan("gqa_4x2", { weights })).rejects.toThrow(/weights: expected auto, f32, .*, got "q2"/);
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
  // A second answer creates nothing either.
  for await (const _ of model.generate([5, 6], { temperature: 0, maxTokens: 3 }))
    expect(watch.created).toBe(before);
  model.dispose();
  own.destroy();
});
