// A new row in the table of tensors is picked up everywhere: a vector like a bias, and a matrix.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { idealBytes } from "../../bench/cost.ts";
import { Buffers } from "../../engine/gpu/buffers.ts";
import { Pipelines, readBuffer } from "../../engine/gpu/dispatch.ts";
import { borrowDevice, type Gpu } from "../../engine/gpu/gpu.ts";
import { mainMatrices } from "../../engine/graph/layout.ts";
import { type Weights, weightBuffers } from "../../engine/graph/weights.ts";
import { quantizeModel } from "../../engine/node.ts";
import type { GpuModel } from "../../engine/resident/gpu-model.ts";
import { planModel } from "../../engine/resident/plan.ts";
import { uploadWeights } from "../../engine/resident/upload.ts";
import { fingerprint } from "../../engine/session/fingerprint.ts";
import { matrixRoles } from "../../engine/tuning/kernel-choice.ts";
import { bytesPerRow, padded, weightFormats } from "../../kernels/index.ts";
import {
  type ModelConfig,
  openCheckpoint,
  packedTensors,
  parseConfig,
  type Source,
} from "../../weights/index.ts";
import { folderSource } from "../../weights/node.ts";
import { hfNames, requiredTensors } from "../../weights/safetensors/names.ts";
import { type TensorNames, type TensorRole, tensorsOf } from "../../weights/tensors.ts";
import { openTestDevice } from "../helpers.ts";
import { fabricate } from "./fabricate.ts";

type Table = typeof import("../../weights/tensors.ts");
// Before any module that derives something from the table is loaded: other files may have loaded them.
vi.hoisted(() => vi.resetModules());
afterAll(() => void vi.resetModules());
vi.mock("../../weights/tensors.ts", async (importOriginal) => {
  const tensors = await importOriginal<Table>();
  type Row = Omit<Table["tensorTable"][number], "role" | "layer"> & { role: string; layer: true };
  const table = tensors.tensorTable as unknown as Row[];
  const at = table.findIndex(({ role }) => role === "downProj");
  const rows: Row[] = [
    { role: "oBias", layer: true, kind: "vector", shape: ({ H, d }) => [H * d] },
    {
      role: "router",
      layer: true,
      kind: "matrix",
      shape: ({ D }) => [3, D],
      when: ({ eps }: ModelConfig) => eps > 1e-6,
    } as Row,
  ];
  table.splice(at, 0, ...rows);
  return tensors;
});
Object.assign(hfNames, {
  oBias: "model.layers.{}.self_attn.o_proj.bias",
  router: "model.layers.{}.mlp.router.weight",
});

const config = {
  architectures: ["LlamaForCausalLM"],
  num_hidden_layers: 2,
  hidden_size: 40,
  intermediate_size: 24,
  num_attention_heads: 3,
  num_key_value_heads: 1,
  head_dim: 8,
  vocab_size: 53,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
};
const parsed = await parseConfig(config);
const BIAS = "model.layers.1.self_attn.o_proj.bias";
const ROUTER = "model.layers.1.mlp.router.weight";

const root = mkdtempSync(join(tmpdir(), "sirocco-table-"));
let gpu: Gpu;
beforeAll(async () => {
  gpu = borrowDevice(await openTestDevice());
});
afterAll(() => {
  gpu.device.destroy();
  rmSync(root, { recursive: true });
});

/** Weights on the GPU by the rows of the test, which the types do not know. */
type More = Record<"oBias", GPUBuffer> & Record<"router", Weights["lmHead"]>;
const moreOf = ({ layers }: Weights): More => layers[1] as unknown as More;

async function uploaded<T>(
  source: Source,
  weights: "f32" | "q8",
  use: (model: Pick<GpuModel, "gpu" | "weights" | "plan"> & { print: string }) => Promise<T>,
): Promise<T> {
  const checkpoint = await openCheckpoint(source);
  const { plan, layout, shape } = planModel(checkpoint, gpu.adapter, { weights });
  const buffers = new Buffers(gpu.device);
  try {
    const made = await uploadWeights(gpu, Pipelines.of(gpu.device), buffers, checkpoint, layout, {});
    const decoder = { shape } as GpuModel["decoder"];
    const print = await fingerprint(
      { gpu, weights: made, plan, layout, decoder, buffers },
      checkpoint.config,
    );
    return await use({ gpu, weights: made, plan, print });
  } finally {
    buffers.destroy();
  }
}

const floats = async (buffer: GPUBuffer): Promise<Float32Array> =>
  new Float32Array(await readBuffer(gpu.device, buffer));

test("the tensors a checkpoint must hold, only for configs that use them", async () => {
  const of = async (more: object) =>
    new Map(requiredTensors(await parseConfig({ ...config, ...more })).map((t) => [t.name, t.shape]));
  expect((await of({})).get(BIAS)).toEqual([24]);
  expect((await of({})).get(ROUTER)).toEqual([3, 40]);
  expect((await of({})).size).toBe(2 * 11 + 3);
  expect((await of({ rms_norm_eps: 1e-6 })).size).toBe(2 * 10 + 3);
  const packed = packedTensors(parsed, () => "q8").map(({ name }) => name);
  expect(packed.filter((name) => name.startsWith("model.layers.1.") && /bias|router/.test(name))).toEqual([
    BIAS,
    `${ROUTER}.packed`,
    `${ROUTER}.scale`,
  ]);
});

test("under the names of any scheme", () => {
  const roles: readonly TensorRole[] = [...new Set(requiredTensors(parsed).map(({ role }) => role))];
  const scheme = Object.fromEntries(roles.map((role) => [role, `block.{}/${role}`])) as TensorNames;
  const tensors = tensorsOf(parsed, scheme);
  expect(tensors.map(({ role, layer, shape }) => [role, layer, shape])).toEqual(
    requiredTensors(parsed).map(({ role, layer, shape }) => [role, layer, shape]),
  );
  expect(tensors.find(({ role, layer }) => `${role}` === "oBias" && layer === 1)?.name).toBe("block.1/oBias");
});

test("plan, buffers, and the bytes of a token", async () => {
  const plain = requiredTensors(parsed).filter(({ name }) => !/bias|router/.test(name));
  const bytes = plain.reduce(
    (sum, { kind, shape: [N = 0, K = 0] }) =>
      sum + (kind === "vector" ? 4 * padded(N) : N * bytesPerRow(weightFormats.f32, K)),
    2 * (4 * padded(24) + 3 * bytesPerRow(weightFormats.f32, 40)),
  );
  await uploaded(fabricate(config), "f32", async ({ weights, plan }) => {
    const sizes = weightBuffers(weights).map(({ size }) => size);
    expect(plan.weightBytes).toBe(bytes);
    expect(sizes.reduce((a, b) => a + b)).toBe(bytes);
    const checkpoint = await openCheckpoint(fabricate(config));
    const { shape, layout } = planModel(checkpoint, gpu.adapter, { weights: "f32" });
    // A token reads all but the embedding, and here no keys and values.
    const read = idealBytes(weights, { ...shape, L: 0 }, 0);
    expect(read).toBe(bytes - 53 * bytesPerRow(weightFormats.f32, 40));
    // Its shape is one that the tuner measures.
    expect(matrixRoles).toContain("router");
    expect(mainMatrices(layout)).toMatchObject({ router: { N: 3, K: 40, format: weightFormats.f32 } });
  });
});

test("values, and a fingerprint that tells them apart", async () => {
  const values = new Map<string, Float32Array>();
  const change = (name: string, _: unknown, tensor: Float32Array) => {
    values.set(name, tensor);
    return tensor;
  };
  const first = await uploaded(fabricate(config, change), "f32", async ({ weights, print }) => {
    const { oBias, router } = moreOf(weights);
    expect((await floats(oBias)).subarray(0, 24)).toEqual(values.get(BIAS));
    const rows = await floats(router[0]!.buffers[0]!);
    for (let n = 0; n < 3; n++)
      expect(rows.subarray(64 * n, 64 * n + 40)).toEqual(values.get(ROUTER)!.subarray(40 * n, 40 * n + 40));
    return print;
  });
  const negated = (names: readonly string[]) =>
    fabricate(config, (name, _, tensor) => (names.includes(name) ? tensor.map((x) => -x) : tensor));
  const prints = [first];
  for (const names of [[BIAS], [ROUTER]])
    prints.push(await uploaded(negated(names), "f32", async ({ print }) => print));
  expect(new Set(prints).size).toBe(3);
  expect(await uploaded(negated([]), "f32", async ({ print }) => print)).toBe(first);
});

test("a packed checkpoint", async () => {
  const out = join(root, "q8");
  await quantizeModel(fabricate(config), { weights: "q8", out });
  const expected = await uploaded(fabricate(config), "q8", async ({ print }) => print);
  expect(await uploaded(folderSource(out), "q8", async ({ print }) => print)).toBe(expected);
});
