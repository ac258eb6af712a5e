// Quantised checkpoints of every kind: each stored weight is read to the bit, from the words and scales that
// the GPU gets, or decoded. The samples were made by another implementation.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { padded, weightFormats } from "../../kernels/index.ts";
import { type Checkpoint, openCheckpoint, packedName, scaleName } from "../../weights/index.ts";
import { folderSource } from "../../weights/node.ts";

const root = new URL("../golden/quantised/", import.meta.url).pathname;

/** The nearest f32 is at most so far away; samples have nine digits. */
const ROUNDED = 2 ** -24 + 1e-9;

type Samples = Readonly<Record<string, readonly (readonly [row: number, column: number, value: number])[]>>;

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
  const width = checkpoint.tensors.get(packedName(name))!.shape[1]! * (format.name === "q8" ? 4 : 8);
  expect(width).toBe(padded(width));
  return (n: number, k: number) => format.at([words, scales], n * width + k, width);
}

describe.each(readdirSync(root))("%s", (folder) => {
  test("samples of every matrix", async () => {
    const checkpoint = await openCheckpoint(folderSource(root + folder));
    const { dequant_samples } = JSON.parse(readFileSync(`${root}${folder}/golden.json`, "utf8"));
    expect(Object.keys(dequant_samples).length).toBeGreaterThan(6);
    for (const [name, samples] of Object.entries(dequant_samples as Samples)) {
      const at = await matrixOf(checkpoint, name);
      const wrong = samples.filter(
        ([n, k, value]) => !(Math.abs(at(n, k) - value) <= ROUNDED * Math.abs(value)),
      );
      expect(wrong.slice(0, 3), name).toEqual([]);
    }
  });
});
