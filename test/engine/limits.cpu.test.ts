// Limits of devices: every launch of forward.ts within the workgroups of a dimension, at the largest shapes;
// and what is asked of an adapter.
import { expect, test } from "vitest";
import type { Launch } from "../../engine/gpu/dispatch.ts";
import { openDevice } from "../../engine/gpu/gpu.ts";
import { type Activations, scratchLengths } from "../../engine/graph/activations.ts";
import {
  BLOCK_SIZES,
  copyPrefix,
  decode,
  logits,
  prefill,
  sampleTokens,
  score,
} from "../../engine/graph/forward.ts";
import { modelLayout } from "../../engine/graph/layout.ts";
import { mapTensors } from "../../engine/graph/model-tensors.ts";
import { modelShape, type Shape } from "../../engine/graph/shape.ts";
import type { Weights } from "../../engine/graph/weights.ts";
import { matrixRoles } from "../../engine/tuning/kernel-choice.ts";
import {
  type AttentionVariant,
  attentionVariants,
  type CacheFormatName,
  cacheFormats,
  MAX_POSITION,
  type MatmulVariant,
  type MatvecVariant,
  matmulVariants,
  matvecVariants,
  quantisedFormats,
} from "../../kernels/index.ts";
import { formatsOf, type ModelConfig, parseConfig } from "../../weights/index.ts";

/** https://www.w3.org/TR/webgpu/#dom-supported-limits-maxcomputeworkgroupsperdimension */
const MAX_WORKGROUPS = 65535;

const config = (fields: Record<string, number>) =>
  parseConfig({
    architectures: ["MistralForCausalLM"],
    num_hidden_layers: 1,
    hidden_size: 4096,
    intermediate_size: 14336,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    vocab_size: 32000,
    max_position_embeddings: MAX_POSITION,
    sliding_window: null,
    ...fields,
  });

/** No adapter is asked: buffers are only counted on. */
const buffer = {} as GPUBuffer;

const names = <T extends string>(table: Record<T, unknown>) => Object.keys(table) as T[];

/** Each variant once, with every other variant's turn repeated as often as needed. */
function choices(): Shape["kernels"][] {
  const [vectors, matrices] = [names<MatvecVariant>(matvecVariants), names<MatmulVariant>(matmulVariants)];
  const everyRole = <T>(variant: T) =>
    Object.fromEntries(matrixRoles.map((role) => [role, variant])) as Record<(typeof matrixRoles)[number], T>;
  return Array.from({ length: Math.max(vectors.length, matrices.length) }, (_, i) => {
    const attentions = names<AttentionVariant>(attentionVariants);
    const attention = attentions[i % attentions.length]!;
    return {
      matvec: everyRole(vectors[i % vectors.length]!),
      matmul: everyRole(matrices[i % matrices.length]!),
      attention: { decode: attention, prefill: attention },
    };
  });
}

function launches(model: ModelConfig, shape: Shape): Launch[] {
  const layout = modelLayout(model, formatsOf(quantisedFormats[0]!, model), 2 ** 32);
  const weights: Weights = mapTensors(
    layout,
    ({ parts }) => parts.map((part) => ({ ...part, buffers: [] })),
    () => buffer,
  );
  const { decode: d, prefill: p, sampler } = scratchLengths(shape);
  const group = <T extends object>(lengths: T) =>
    Object.fromEntries(Object.keys(lengths).map((name) => [name, buffer]));
  const activations = {
    ...{ angles: buffer, copiedRange: buffer, caches: [buffer] },
    ...{ decode: group(d), prefill: group(p), sampler: group(sampler) },
  } as unknown as Activations;
  return [
    ...prefill(shape, weights, activations),
    ...score(shape, weights, activations),
    ...copyPrefix(shape, activations),
    ...BLOCK_SIZES.flatMap((tokens) => [
      ...Object.values(decode(shape, weights, activations, tokens)).flat(),
      ...logits(shape, weights, activations, tokens),
      ...sampleTokens(shape, activations, tokens),
    ]),
  ];
}

test.each<[string, ModelConfig, CacheFormatName, contextLength: number]>([
  ["131,072 tokens in f32", await config({}), "f32", 131_072],
  ["2^20 tokens of one key/value head", await config({ num_key_value_heads: 1 }), "f32", 2 ** 20],
  [
    "wide",
    await config({ hidden_size: 12_288, intermediate_size: 28_672, num_attention_heads: 96 }),
    "f16",
    131_072,
  ],
  ["262,144 tokens in the vocabulary", await config({ vocab_size: 262_144 }), "q8", 40_000],
  [
    "heads of 256",
    await config({ num_attention_heads: 16, num_key_value_heads: 16, head_dim: 256 }),
    "f32",
    131_072,
  ],
])("%s: at most 65,535 workgroups in a dimension", (_, model, cache, contextLength) => {
  let most = 0;
  for (const kernels of choices()) {
    const shape = modelShape(model, {
      ...{ cacheFormat: cacheFormats[cache], kernels, contextLength },
      ...{ chunkLength: 512, parallel: 64 },
    });
    for (const [kernel, size] of launches(model, shape)) {
      const counts = kernel.workgroups(size).map((count) => count ?? 1);
      const label = `${kernel.name} ${kernel.variant ?? ""} ${JSON.stringify(size)}`;
      for (const count of counts) expect(Number.isInteger(count) && count > 0, label).toBe(true);
      expect(Math.max(...counts), label).toBeLessThanOrEqual(MAX_WORKGROUPS);
      most = Math.max(most, ...counts);
    }
  }
  // Shapes at which the limit is near: they would show a dimension that grows.
  expect(most).toBeGreaterThan(4_000);
});

/** An adapter that states `limits` and gives at most `given` of each. */
function adapterOf(limits: Record<string, number>, given: number) {
  const asked: Record<string, number>[] = [];
  const requestDevice = async ({ requiredLimits = {} }: { requiredLimits?: Record<string, number> }) => {
    asked.push(requiredLimits);
    const refused = Object.values(requiredLimits).find((limit) => limit > Math.min(given, 2 ** 53));
    if (refused !== undefined) throw new Error(`${refused} is refused`);
    const lost = new Promise(() => {});
    return { features: new Set(), limits: requiredLimits, lost, addEventListener() {} };
  };
  const info = { device: "", vendor: "", architecture: "", description: "" };
  const adapter = { features: new Set(), limits, info, requestDevice };
  return { gpu: { requestAdapter: async () => adapter } as unknown as GPU, asked };
}

const limits = {
  ...{ maxBufferSize: 2 ** 64, maxStorageBufferBindingSize: 2 ** 32 - 4 },
  ...{ maxComputeWorkgroupStorageSize: 49_152, maxComputeInvocationsPerWorkgroup: 1024 },
  maxComputeWorkgroupSizeX: 1024,
};

test("a limit that a number cannot carry is asked for as 2^40, the others as stated", async () => {
  const { gpu, asked } = adapterOf(limits, Infinity);
  await openDevice(gpu);
  expect(asked).toEqual([{ ...limits, maxBufferSize: 2 ** 40 }]);
});

test("an adapter that refuses what it states gives a device with the usual limits", async () => {
  const { gpu, asked } = adapterOf(limits, 2 ** 31);
  await openDevice(gpu);
  expect(asked).toEqual([{ ...limits, maxBufferSize: 2 ** 40 }, {}]);
});
