// GGUF: the values of every type of block, and broken files.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { blockTypes, decodeBlocks } from "../../weights/gguf/blocks.ts";
import { readHeader } from "../../weights/gguf/header.ts";
import { CheckpointError, openCheckpoint } from "../../weights/index.ts";
import { folderSource } from "../../weights/node.ts";
import { brokenGgufs } from "./broken-gguf.ts";
import { smallGguf, writeGguf } from "./gguf-file.ts";
import { memorySource } from "./memory-source.ts";

const goldens = import.meta.glob<Record<string, [row: number, column: number, value: number][]>>(
  "../golden/formats/gguf_*/golden.json",
  { import: "dequant_samples", eager: true },
);

test("every value that the fixtures sample is decoded to the bit, in all types", async () => {
  const seen = new Set<string>();
  for (const [path, tensors] of Object.entries(goldens)) {
    const folder = new URL(`${path}/..`, import.meta.url).pathname;
    const source = folderSource(folder);
    for (const file of (await source.list!()).filter((name) => name.endsWith(".gguf"))) {
      for (const { name, type, shape, start, end } of (await readHeader(source, file)).tensors) {
        const samples = tensors[name];
        if (!samples || !type || !blockTypes.includes(type.name)) continue;
        seen.add(type.name);
        const values = decodeBlocks(
          type,
          new Uint8Array(readFileSync(`${folder}/${file}`)).subarray(start, end),
        );
        for (const [row, column, value] of samples)
          expect(values[row * shape[1]! + column]! + 0, `${path}: ${name} [${row}, ${column}]`).toBe(
            Math.fround(value) + 0,
          );
      }
    }
  }
  expect([...seen].sort()).toEqual([...blockTypes].sort());
});

test("the file opens before it is broken", async () => {
  const { config, parameters } = await openCheckpoint(memorySource({ "model.gguf": writeGguf(smallGguf()) }));
  expect(config).toMatchObject({ D: 32, F: 64, H: 2, G: 1, d: 16, V: 40, eps: 1e-5, eosTokenIds: [2] });
  expect(parameters).toBe(2 * 40 * 32 + 3 * 32 + 32 * (32 + 16 + 16 + 32) + 3 * 64 * 32);
});

test("there are at least 25 kinds of broken files, with different names", () => {
  expect(new Set(brokenGgufs.map(({ name }) => name)).size).toBe(brokenGgufs.length);
  expect(brokenGgufs.length).toBeGreaterThanOrEqual(25);
});

test.each(brokenGgufs)("$name", async ({ files, expect: words }) => {
  const error: unknown = await openCheckpoint(memorySource(files())).then(
    () => "opened",
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(CheckpointError);
  expect((error as Error).message).toMatch(words);
  expect((error as Error).message).toMatch(/^[^:]+\.gguf: (.+: )?expected .+, got .+\. \S.*[.:]?$/s);
  expect((error as Error).message.length).toBeLessThan(600);
});
