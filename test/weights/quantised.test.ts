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
import { actOrderTensors, filesWith, weightsOf, withBiases } from "./gptq-files.ts";
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

/** In act-order: where the columns of a matrix are once they are sorted by group. undefined: in order. */
function sortedPlaces(folder: string, name: string): readonly number[] | undefined {
  const { header, data } = split(filesOf(root + folder)["model.safetensors"]!);
  const entries: Record<string, Entry> = JSON.parse(header);
  const module = name.replace(/\.weight$/, "");
  const entry = entries[`${module}.g_idx`] ?? entries[`${module}.weight_g_idx`];
  if (!entry) return undefined;
  const groups = [...new Int32Array(data.slice(...entry.data_offsets).buffer)];
  const order = groups.map((_, k) => k).sort((a, b) => groups[a]! - groups[b]! || a - b);
  return order.map((_, k) => order.indexOf(k));
}

/** A matrix in the file's order, whose rows may be read in the order of down_proj's columns. */
async function unsorted(folder: string, checkpoint: Checkpoint, name: string) {
  const at = await matrixOf(checkpoint, name);
  const columns = sortedPlaces(folder, name);
  const rows = sortedPlaces(folder, name.replace(/(gate|up)_proj/, "down_proj"));
  const isBefore = /(gate|up)_proj/.test(name);
  return (n: number, k: number) => at(isBefore ? (rows?.[n] ?? n) : n, columns?.[k] ?? k);
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
      const at = await unsorted(folder, checkpoint, name);
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

test.each([
  ["gptq_4bit_asym_borrow", 4, "q4a"],
  ["gptq_8bit_sym_g32", 8, "q8"],
] as const)(
  "%s with its columns shuffled: they are sorted into the bytes of the original",
  async (folder, bits, format) => {
    const module = "model.layers.0.self_attn.q_proj";
    const files = filesOf(root + folder);
    const original = await openCheckpoint(memorySource({ ...files }));
    const { header, data } = split(files["model.safetensors"]!);
    const entries: Record<string, Entry> = JSON.parse(header);
    const shuffled = data.slice();
    const words = (of: Uint8Array, name: string) => {
      const [start, end] = entries[`${module}.${name}`]!.data_offsets;
      return new Uint32Array(of.buffer, of.byteOffset + start, (end - start) / 4);
    };
    const [K, N] = [64, entries[`${module}.scales`]!.shape[1]!];
    const aligned = new Uint8Array(data); // A copy: words begin at multiples of four.
    const [from, to, groups] = [
      words(aligned, "qweight"),
      words(shuffled, "qweight"),
      words(shuffled, "g_idx"),
    ];
    const perWord = 32 / bits;
    const next = [0, 32];
    const columns: number[] = [];
    to.fill(0);
    for (let k = 0; k < K; k++) {
      const group = ((k * 37 + 11) % K) >> 5;
      const source = next[group]!++;
      groups[k] = group;
      columns[source] = k;
      for (let n = 0; n < N; n++) {
        const code =
          (from[Math.floor(source / perWord) * N + n]! >>> (bits * (source % perWord))) & (2 ** bits - 1);
        to[Math.floor(k / perWord) * N + n]! |= code << (bits * (k % perWord));
      }
    }
    const config = JSON.parse(new TextDecoder().decode(files["config.json"]));
    config.quantization_config.desc_act = true;
    files["config.json"] = new TextEncoder().encode(JSON.stringify(config));
    files["model.safetensors"] = join(header, shuffled);
    const checkpoint = await openCheckpoint(memorySource(files));
    const name = `${module}.weight`;
    expect(checkpoint.quantised!.formatOf(name)).toBe(format);
    expect([...checkpoint.quantised!.columnsOf!(name)!]).toEqual(columns);
    for (const each of [packedName(name), scaleName(name)])
      expect(await read(checkpoint, each, 1000)).toEqual(await read(original, each, 1000));
  },
);

test("a model that has biases keeps those of its quantised matrices", async () => {
  const checkpoint = await openCheckpoint(memorySource(filesWith(withBiases(actOrderTensors()))));
  expect(checkpoint.config.qkvBias).toBe(true);
  const module = "model.layers.1.self_attn.k_proj";
  expect(new Float32Array(await read(checkpoint, `${module}.bias`, 1000))[31]).toBe(0.25);
  expect((await read(checkpoint, scaleName(`${module}.weight`), 1000)).byteLength).toBeGreaterThan(0);
});

test("columns that do not sort into groups of one size are decoded, and the checkpoint says so", async () => {
  const tensors = actOrderTensors();
  const module = "model.layers.0.self_attn.o_proj";
  const { bytes } = tensors.get(`${module}.g_idx`)!;
  const groups = new Int32Array(bytes.buffer, bytes.byteOffset, 64);
  groups[groups.indexOf(0)] = 1;
  const checkpoint = await openCheckpoint(memorySource(filesWith(tensors)));
  const { quantised, warnings } = checkpoint;
  const name = `${module}.weight`;
  expect([quantised!.weights, quantised!.formatOf(name), quantised!.columnsOf!(name)]).toEqual([
    "q4",
    "q8",
    undefined,
  ]);
  expect(warnings).toEqual([expect.stringMatching(/^model\.layers\.0\.self_attn\.o_proj\.weight: /)]);
  const right = new Float32Array(weightsOf(tensors, module).bytes.buffer);
  expect(new Float32Array(await read(checkpoint, name, 1000))).toEqual(right);
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
