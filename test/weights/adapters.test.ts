// LoRA adapters: the golden ones merged into their base, and what is refused.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { mergeAdapter, openAdapter, openCheckpoint } from "../../weights/index.ts";
import { folderSource } from "../../weights/node.ts";

const golden = new URL("../golden/", import.meta.url).pathname;
const folders = readdirSync(`${golden}adapters`).filter((each) => each !== "lora_two_adapters");

const base = () => openCheckpoint(folderSource(`${golden}families/gqa_4x2`));

type Samples = Readonly<Record<string, readonly (readonly [row: number, column: number, value: number])[]>>;

describe.each(folders)("%s", (folder) => {
  test("merged weights", async () => {
    const path = `${golden}adapters/${folder}`;
    const checkpoint = await base();
    const merged = mergeAdapter(checkpoint, await openAdapter(folder, folderSource(path), checkpoint.config));
    const { dequant_samples } = JSON.parse(readFileSync(`${path}/golden.json`, "utf8"));
    expect(Object.keys(dequant_samples).length).toBeGreaterThan(3);
    for (const [name, samples] of Object.entries(dequant_samples as Samples)) {
      const info = merged.tensors.get(name)!;
      const rows: Uint8Array[] = [];
      for await (const { bytes } of merged.readRows(info, { maxBytes: 1000 })) rows.push(bytes.slice());
      const values = new Float32Array(new Uint8Array(Buffer.concat(rows)).buffer);
      const K = info.shape[1]!;
      for (const [n, k, value] of samples)
        expect(Math.abs(values[n * K + k]! - value), `${name} ${n} ${k}`).toBeLessThanOrEqual(
          2 ** -24 * Math.abs(value) + 1e-9,
        );
    }
  });
});
