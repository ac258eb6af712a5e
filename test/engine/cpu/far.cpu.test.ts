// Where the first memory of the CPU device is full, matrices and rings are in another one: answers have the
// same bits.
import { expect, test } from "vitest";
import { openOwnThread } from "../../../engine/cpu/open.ts";
import { type NearDescriptor, usage } from "../../../engine/gpu/dispatch.ts";
import { type CacheFormatName, loadModel, type Model, type WeightFormatName } from "../../../engine/node.ts";
import { PAST_END } from "../../../kernels/cpu/operation.ts";

const root = new URL("../../golden/", import.meta.url).pathname;
const ids = [1, 17, 3, 80, 41, 9, 2, 30, 55, 12];
const MIB = 2 ** 20;

/** A device whose first memory has no room for matrices and rings. */
async function fullDevice(): Promise<GPUDevice> {
  const device = await openOwnThread();
  // Of 4 GiB, 16 MiB are scratch, and 64 MiB are kept for what must be there. Nothing touches these buffers.
  for (const size of [2 ** 31 - 2 ** 16, 2 ** 31 - 80 * MIB - 64 - PAST_END])
    device.createBuffer({ size, usage: usage.storage });
  return device;
}

interface Case {
  /** Default: the embedded model. */
  readonly source?: string;
  readonly weights?: WeightFormatName;
  readonly cache?: CacheFormatName;
  readonly adapter?: string;
}

/** Logits, log-probabilities and tokens. */
async function results(device: GPUDevice, { source, adapter, ...options }: Case) {
  const model: Model = await loadModel(source && `${root}${source}`, { device, chunkLength: 16, ...options });
  if (adapter) await model.addAdapter("a", `${root}${adapter}`);
  const used = adapter ? { adapter: "a" } : {};
  const tokens: number[] = [];
  for await (const chunk of model.generate(ids, { temperature: 0, maxTokens: 20, ignoreEos: true, ...used }))
    tokens.push(...chunk.ids);
  const logits = await model.logits(ids, used);
  const { logProbs } = await model.score(ids, used);
  model.dispose();
  return { tokens, logits, logProbs };
}

const source = "families/gqa_4x2";
const formats = ["f32", "f16", "bf16", "q8", "q4", "q4a", "q4a64", "q4a128", "q4k"] as const;
test.each<Case>([
  ...formats.map((weights) => ({ source, weights })),
  { source: "families/f32", cache: "f16" },
  { source: "families/odd_group_6x2", weights: "q4", cache: "q8" },
  { source: "families/tied" },
  { source: "quantised/gptq_4bit_desc_act_g32" },
  { source, adapter: "adapters/lora_dora" },
  { source, adapter: "adapters/lora_embedding" },
  { weights: "q4" },
])("$source $weights $cache $adapter", async (each) => {
  const [near, far] = [await openOwnThread(), await fullDevice()];
  const expected = await results(near, each);
  expect(await results(far, each)).toEqual(expected);
  for (const device of [near, far]) device.destroy();
});

test("other buffers leave room for near ones; one that does not fit is out of memory", async () => {
  const device = await fullDevice();
  const create = async (near: boolean) => {
    device.pushErrorScope("out-of-memory");
    const descriptor: NearDescriptor = { label: "x", size: 60 * MIB, usage: usage.storage, near };
    device.createBuffer(descriptor);
    return device.popErrorScope();
  };
  expect(await create(false)).toBeNull();
  expect(await create(true)).toBeNull();
  const error = await create(true);
  expect(error?.constructor.name).toBe("GPUOutOfMemoryError");
  expect(error?.message).toMatch(/^buffer "x": expected room for 62914560 bytes/);
  device.destroy();
});
