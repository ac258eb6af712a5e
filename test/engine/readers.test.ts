// A second checkpoint format, known only to this test, loads like the first: detected, read, converted or
// re-packed.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadModel, quantizeModel } from "../../engine/node.ts";
import { type Conversion, conversions } from "../../engine/resident/encodings.ts";
import type { WeightFormatName } from "../../kernels/index.ts";
import type { CheckpointReader } from "../../weights/checkpoint.ts";
import { type Checkpoint, openCheckpoint, type TensorInfo } from "../../weights/index.ts";
import { folderSource } from "../../weights/node.ts";
import { readers } from "../../weights/readers.ts";
import { openTestDevice } from "../helpers.ts";
import { type Crated, crateReader, crateSource } from "../weights/crate.ts";

(readers as CheckpointReader[]).unshift(crateReader);

/** Blocks of a scale (f16) and 32 codes (i8), as llama.cpp's Q8_0: without loss they are q8. */
const BLOCK = 34;
const blocks: Partial<Record<WeightFormatName, Conversion>> = {
  q8: {
    by: "repack",
    repack(bytes, R, K) {
      const groups = Math.ceil(K / 32);
      const codes = new Uint8Array(R * groups * 32);
      const scaleBytes = 4 * Math.ceil(groups / 2);
      const scales = new Uint8Array(R * scaleBytes);
      for (let i = 0; i < R * groups; i++) {
        const block = bytes.subarray(i * BLOCK, (i + 1) * BLOCK);
        const [row, group] = [Math.floor(i / groups), i % groups];
        scales.set(block.subarray(0, 2), row * scaleBytes + 2 * group);
        codes.set(block.subarray(2), 32 * i);
      }
      return [codes, scales];
    },
  },
};
Object.assign(conversions, { blocks });

const root = mkdtempSync(join(tmpdir(), "sirocco-readers-"));
let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});
afterAll(() => rmSync(root, { recursive: true }));

const json = (folder: string, file: string) => JSON.parse(readFileSync(join(folder, file), "utf8"));

async function bytesOf(checkpoint: Checkpoint, tensor: TensorInfo): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const { bytes } of checkpoint.readRows(tensor, { maxBytes: 2 ** 20 })) pieces.push(bytes);
  return Buffer.concat(pieces);
}

test("the embedded model in another container gives the same text and the same logits, bit for bit", async () => {
  const folder = "weights/tiny-mistral";
  const checkpoint = await openCheckpoint(folderSource(folder));
  const tensors = new Map<string, Crated>();
  for (const tensor of checkpoint.tensors.values())
    tensors.set(tensor.name, { encoding: tensor.encoding, bytes: await bytesOf(checkpoint, tensor) });
  const vocabulary = (await checkpoint.vocabulary())!;
  const crate = await crateSource(json(folder, "config.json"), vocabulary, tensors);
  expect((await openCheckpoint(crate)).tensors.size).toBe(checkpoint.tensors.size);

  const options = { device, weights: "bf16", chunkLength: 32 } as const;
  const [ours, theirs] = [await loadModel(undefined, options), await loadModel(crate, options)];
  expect(theirs.plan).toEqual(ours.plan);
  const texts: string[] = [];
  for (const model of [ours, theirs]) {
    let text = "";
    for await (const chunk of model.generate("Once upon a time", { temperature: 0, maxTokens: 12 }))
      text += chunk.text;
    texts.push(text);
  }
  expect(texts[1]).toBe(texts[0]);
  expect(texts[0]!.length).toBeGreaterThan(10);
  const ids = [1, ...(await ours.encode("The cat sat on the mat."))];
  expect(await theirs.logits(ids)).toEqual(await ours.logits(ids));
  ours.dispose();
  theirs.dispose();
});

test("an encoding with a row in the table is re-packed, and refused for formats without a row", async () => {
  const family = new URL("../golden/families/odd_vocab_101", import.meta.url).pathname;
  const out = join(root, "q8");
  await quantizeModel(family, { weights: "q8", out });
  const packed = await openCheckpoint(folderSource(out));
  const tensors = new Map<string, Crated>();
  for (const tensor of packed.tensors.values()) {
    const bytes = await bytesOf(packed, tensor);
    const name = tensor.name.replace(/\.packed$/, "");
    if (tensor.encoding === "F32") tensors.set(name, { encoding: "F32", bytes });
    if (tensor.encoding !== "words") continue;
    const scale = packed.tensors.get(`${name}.scale`)!;
    tensors.set(name, {
      encoding: "blocks",
      bytes: inBlocks(tensor.shape, bytes, await bytesOf(packed, scale)),
    });
  }
  const crate = await crateSource(json(family, "config.json"), null, tensors);
  const options = { device, chunkLength: 16 };
  const [theirs, ours] = [
    await loadModel(crate, { ...options, weights: "q8" }),
    await loadModel(family, { ...options, weights: "q8" }),
  ];
  const ids = Array.from({ length: 30 }, (_, i) => (i * 37) % 101);
  expect(await theirs.logits(ids)).toEqual(await ours.logits(ids));
  theirs.dispose();
  ours.dispose();

  await expect(loadModel(crate, { ...options, weights: "q4" })).rejects.toThrow(
    /^model\.crate: model\.embed_tokens\.weight: expected an encoding that can be loaded as q4, got blocks\. Load another/,
  );
});

/** Words of codes and of scales, row by row, as blocks. */
function inBlocks(
  [rows = 0, words = 0]: readonly number[],
  codes: Uint8Array,
  scales: Uint8Array,
): Uint8Array {
  const groups = words / 8;
  const scaleBytes = scales.length / rows;
  const blocks = new Uint8Array(rows * groups * BLOCK);
  for (let i = 0; i < rows * groups; i++) {
    const scale = Math.floor(i / groups) * scaleBytes + 2 * (i % groups);
    blocks.set(scales.subarray(scale, scale + 2), i * BLOCK);
    blocks.set(codes.subarray(32 * i, 32 * (i + 1)), i * BLOCK + 2);
  }
  return blocks;
}
