// Quantised checkpoints of every kind: each stored weight is read to the bit, from the words and scales that
// the GPU gets, or decoded. The samples were made by another implementation.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { formatTable, padded, type WeightFormatName } from "../../kernels/formats/table.ts";
import { weightFormats } from "../../kernels/index.ts";
import {
  type Checkpoint,
  openCheckpoint,
  packedName,
  requiredTensors,
  scaleName,
} from "../../weights/index.ts";
import { folderSource } from "../../weights/node.ts";
import { filesOf, join, memorySource, split } from "./memory-source.ts";

const root = new URL("../golden/quantised/", import.meta.url).pathname;

/** The nearest f32 is at most so far away; samples have nine digits. */
const ROUNDED = 2 ** -24 + 1e-9;

/** Offsets of q4a are rounded to f16. They are at most 15 scales: about as large as the largest weights. */
const OFFSET_ROUNDED = 2 ** -10;

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: [number, number];
}

type Samples = Readonly<Record<string, readonly (readonly [row: number, column: number, value: number])[]>>;

const isPaired = (format: WeightFormatName): boolean => formatTable[format].scaleBits === 32;

/** All rows of a tensor. */
async function read(checkpoint: Checkpoint, name: string, maxBytes: number): Promise<ArrayBuffer> {
  const info = checkpoint.tensors.get(name)!;
  const pieces: Uint8Array[] = [];
  for await (const { row, rows, bytes } of checkpoint.readRows(info, { maxBytes })) {
    expect(row).toBe(pieces.reduce((sum, { length }) => sum + length, 0) / (bytes.length / rows));
    pieces.push(bytes.slice());
  }
  return new Uint8Array(Buffer.concat(pieces)).buffer;
}

/** A matrix as a function of row and column. */
async function matrixOf(checkpoint: Checkpoint, name: string) {
  const K = checkpoint.tensors.get(name)?.shape[1];
  if (K !== undefined) {
    const values = new Float32Array(await read(checkpoint, name, 1000));
    return (n: number, k: number) => values[n * K + k]!;
  }
  const format = weightFormats[checkpoint.quantised!.formatOf(name)];
  const words = new Uint32Array(await read(checkpoint, packedName(name), 1000));
  const scales = new Uint32Array(await read(checkpoint, scaleName(name), 100));
  const width = checkpoint.tensors.get(packedName(name))!.shape[1]! * (32 / formatTable[format.name].bits);
  expect(width).toBe(padded(width));
  const at = (n: number, k: number) => format.at([words, scales], n * width + k, width);
  const [, columns] = requiredTensors(checkpoint.config).find((each) => each.name === name)!.shape;
  // Rows are padded with zeros.
  if (!isPaired(format.name)) for (let k = columns!; k < width; k++) expect(at(1, k)).toBe(0);
  return at;
}

describe.each(readdirSync(root))("%s", (folder) => {
  test("samples of every matrix", async () => {
    const checkpoint = await openCheckpoint(folderSource(root + folder));
    const { dequant_samples } = JSON.parse(readFileSync(`${root}${folder}/golden.json`, "utf8"));
    expect(Object.keys(dequant_samples).length).toBeGreaterThan(6);
    for (const [name, samples] of Object.entries(dequant_samples as Samples)) {
      const at = await matrixOf(checkpoint, name);
      const pairs = isPaired(checkpoint.quantised!.formatOf(name));
      const largest = samples.reduce((most, [, , value]) => Math.max(most, Math.abs(value)), 0);
      const wrong = samples.filter(([n, k, value]) => {
        const allowed = ROUNDED * Math.abs(value) + (pairs ? OFFSET_ROUNDED * largest : 0);
        return !(Math.abs(at(n, k) - value) <= allowed);
      });
      expect(wrong.slice(0, 3), name).toEqual([]);
    }
  });
});

test("gate_proj and up_proj share the larger format: a neighbour of floats decodes a matrix of codes", async () => {
  const files = filesOf(`${root}ct_w4a16_sym_g32`);
  const { header, data } = split(files["model.safetensors"]!);
  const gate = "model.layers.1.mlp.gate_proj.weight";
  let stored = Object.entries(JSON.parse(header) as Record<string, Entry>)
    .filter(([name]) => name !== "__metadata__" && !name.startsWith(`${gate}_`))
    .map(([name, { dtype, shape, data_offsets }]) => ({
      name,
      dtype,
      shape,
      bytes: data.slice(...data_offsets),
    }));
  stored = [...stored, { name: gate, dtype: "BF16", shape: [96, 64], bytes: new Uint8Array(2 * 96 * 64) }];
  let at = 0;
  const entries = stored.map(({ name, dtype, shape, bytes: { length } }) => {
    at += length;
    return [name, { dtype, shape, data_offsets: [at - length, at] }];
  });
  const bytes = new Uint8Array(Buffer.concat(stored.map((each) => each.bytes)));
  files["model.safetensors"] = join(JSON.stringify(Object.fromEntries(entries)), bytes);
  const { tensors, quantised } = await openCheckpoint(memorySource(files));
  const up = "model.layers.1.mlp.up_proj.weight";
  expect([gate, up].map((name) => quantised!.formatOf(name))).toEqual(["bf16", "bf16"]);
  expect([gate, up].map((name) => tensors.get(name)?.encoding)).toEqual(["BF16", "F32"]);
  expect(quantised!.formatOf("model.layers.0.mlp.gate_proj.weight")).toBe("q4");
});
