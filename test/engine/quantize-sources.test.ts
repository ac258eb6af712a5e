// What quantizeModel writes of checkpoints that are quantised: every matrix in the bytes that loading uses.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadModel, quantizeModel } from "../../engine/node.ts";
import type { WeightFormatName } from "../../kernels/index.ts";
import { type Checkpoint, openCheckpoint, type TensorInfo } from "../../weights/index.ts";
import { columnsName, folderSource, packedName, requiredTensors, scaleName } from "../../weights/node.ts";
import { openTestDevice } from "../helpers.ts";

const golden = new URL("../golden/", import.meta.url).pathname;
const root = mkdtempSync(join(tmpdir(), "sirocco-sources-"));
afterAll(() => rmSync(root, { recursive: true }));

let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});

const openFolder = (folder: string) => openCheckpoint(folderSource(folder));
const newFolder = (name: string) => join(root, name.replaceAll("/", "-"));

async function bytesOf(checkpoint: Checkpoint, tensor: TensorInfo): Promise<Buffer> {
  const rows: Uint8Array[] = [];
  for await (const { bytes } of checkpoint.readRows(tensor, { maxBytes: 2 ** 20 })) rows.push(bytes);
  return Buffer.concat(rows);
}

/** The bytes of a matrix's buffers, if they are a copy of what the checkpoint has. */
async function resident(checkpoint: Checkpoint, name: string, format: WeightFormatName): Promise<Buffer[]> {
  const tensor = checkpoint.tensors.get(name);
  if (tensor?.own) {
    const repack = tensor.own.repack?.[format];
    const [R = 0, K = 0] = tensor.shape;
    return repack
      ? repack(new Uint8Array(await bytesOf(checkpoint, tensor)), R, K).map((piece) => Buffer.from(piece))
      : [];
  }
  const packed = [packedName(name), scaleName(name)].flatMap((each) => checkpoint.tensors.get(each) ?? []);
  return Promise.all(packed.map((each) => bytesOf(checkpoint, each)));
}

/** By folder: the formats of its matrices, and of how many the bytes are equal. */
const sources: Readonly<Record<string, readonly [formats: string, exact: number]>> = {
  "quantised/gptq_4bit_sym_g32": ["q4, f16", 14],
  "quantised/gptq_4bit_asym_g64": ["q4a64, f16", 14],
  "quantised/gptq_4bit_desc_act_g32": ["q4, f16", 14],
  "quantised/awq_gemm_g128": ["q4a128, f16", 12],
  "quantised/ct_w4a16_sym_g32": ["q4, bf16", 14],
  "quantised/mlx_4bit_g32_mixed": ["q4a, q8", 13],
  "formats/gguf_q4_0": ["q4", 16],
  "formats/gguf_q4_k_m_two_layers": ["q4k, q8", 11],
};
const slow = process.env["SIROCCO_DRIVER"] === "swiftshader";
const names = slow
  ? ["quantised/gptq_4bit_desc_act_g32", "formats/gguf_q4_k_m_two_layers"]
  : Object.keys(sources);

test.each(names)("%s is written as it is loaded, to the bit", async (name) => {
  const [out, before] = [newFolder(name), await openFolder(golden + name)];
  const { formats } = await quantizeModel(golden + name, { out });
  const after = await openFolder(out);
  const matrices = requiredTensors(before.config).filter(({ kind }) => kind === "matrix");
  let exact = 0;
  for (const { name: matrix } of matrices) {
    const format = before.quantised!.formatOf(matrix);
    expect(after.quantised!.formatOf(matrix), matrix).toBe(format);
    expect(after.quantised!.columnsOf?.(matrix), matrix).toEqual(before.quantised!.columnsOf?.(matrix));
    const stored = await resident(before, matrix, format);
    if (stored.length === 0) continue;
    expect(await resident(after, matrix, format), matrix).toEqual(stored);
    exact++;
  }
  expect([formats.join(", "), exact]).toEqual(sources[name]);

  const options = { device, chunkLength: 16 };
  const model = await loadModel(golden + name, options);
  const packed = await loadModel(out, options);
  expect(packed.plan.weightBytes).toBe(model.plan.weightBytes);
  const ids = Array.from({ length: 30 }, (_, i) => (i * 37) % before.config.V);
  expect(await packed.logits(ids)).toEqual(await model.logits(ids));
  model.dispose();
  packed.dispose();
});

test.skipIf(slow)("4-bit codes become 8 bits, or floats, which hold them exactly", async () => {
  const folder = `${golden}quantised/gptq_4bit_desc_act_g32`;
  const golden40 = (await import("../golden/quantised/gptq_4bit_desc_act_g32/golden.json")).cases.at(-1)!;
  for (const [weights, within] of [
    ["f32", 5e-4],
    ["q8", 0.5],
  ] as const) {
    const out = newFolder(`act-order-${weights}`);
    expect((await quantizeModel(folder, { weights, out })).formats).toEqual([weights]);
    const model = await loadModel(out, { device, chunkLength: 16 });
    const logits = await model.logits(golden40.ids);
    const worst = Math.max(...logits.map((value, i) => Math.abs(value - golden40.last_logits[i]!)));
    expect(worst, weights).toBeLessThan(within);
    model.dispose();
  }
});

test.each([
  ["quantised/gptq_4bit_sym_g32", "q4a"],
  ["quantised/awq_gemm_g32", "q4"],
  ["formats/gguf_q4_k", "q4"],
] as const)("%s is not rounded to %s", async (name, weights) => {
  const out = newFolder(`refused-${name}`);
  await expect(quantizeModel(golden + name, { weights, out })).rejects.toThrow(
    /expected more than 4 bits to round to q4.*Leave out weights/,
  );
});

test("floats need a format", async () => {
  const wrong = quantizeModel(undefined, { out: newFolder("floats") });
  await expect(wrong).rejects.toThrow(/^weights: expected a format, as the weights of .* are floats/);
});

test("a mixture is packed already", async () => {
  const out = newFolder("first");
  await quantizeModel(`${golden}quantised/gptq_4bit_desc_act_g32`, { out });
  expect((await openFolder(out)).tensors.has(columnsName("lm_head.weight"))).toBe(false);
  const again = quantizeModel(out, { out: newFolder("second") });
  await expect(again).rejects.toThrow(/expected an original checkpoint, got one packed as q4, f16/);
});
