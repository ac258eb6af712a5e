// Checkpoints of every kind open, and their rows are read byte for byte.
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { folderSource, openCheckpoint, readRows } from "../../weights/node.ts";

const golden = "test/golden/families";
const folders = ["weights/tiny-mistral"].concat(
  readdirSync(golden, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${golden}/${name}`),
);

test.each(folders)("%s opens, and its rows are the bytes of its files", async (folder) => {
  const checkpoint = await openCheckpoint(folderSource(folder));
  const { L, tied } = checkpoint.config;
  expect(checkpoint.tensors.size).toBe(9 * L + (tied ? 2 : 3));
  expect(checkpoint.quantised).toBeNull();
  let bytes = 0;
  for (const tensor of checkpoint.tensors.values()) {
    const file = readFileSync(`${folder}/${tensor.file}`);
    let next = 0;
    let at = tensor.start;
    for await (const rows of readRows(checkpoint, tensor.name, { maxBytes: 5000 })) {
      expect(rows.row).toBe(next);
      next += rows.rows;
      expect(Buffer.compare(rows.bytes, file.subarray(at, at + rows.bytes.length))).toBe(0);
      at += rows.bytes.length;
    }
    expect(at).toBe(tensor.end);
    bytes += tensor.end - tensor.start;
  }
  expect(bytes).toBe(checkpoint.bytes);
});
