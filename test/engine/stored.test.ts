// Weights read back from the GPU, stored and loaded give the same logits, whole and split by rows.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { borrowDevice } from "../../engine/gpu/gpu.ts";
import { loadModel } from "../../engine/load.ts";
import type { Platform } from "../../engine/platform.ts";
import type { ModelStore } from "../../engine/store/model-store.ts";
import { StoredWeights } from "../../engine/store/stored-weights.ts";
import { CachedSource, folderSource, formatsAs, PackedFile, type Source } from "../../weights/node.ts";
import { openTestDevice } from "../helpers.ts";
import { MemoryFile } from "../weights/memory-file.ts";

let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});

/** The files of one model, in memory. */
class MemoryStore {
  kept = new Uint8Array();
  readonly weights = new MemoryFile();
  readonly journal = new MemoryFile();

  async open(origin: Source): Promise<ModelStore> {
    const source = await CachedSource.open(origin, this.kept);
    return {
      source,
      signal: new AbortController().signal,
      release() {},
      clear: async () => {},
      invalidate: async (file) => source.invalidate(file),
      saveSource: async () => {
        source.freeze();
        this.kept = await source.encode();
      },
      openWeights: async (checkpoint, weights) => {
        const identity = await source.identity();
        const contents = {
          config: checkpoint.config,
          weights,
          formatOf: formatsAs(checkpoint, weights),
        };
        const file = await PackedFile.open(this.weights, this.journal, { ...contents, identity });
        return new StoredWeights(file, (write) => write());
      },
    };
  }
}

test.each([
  // Odd rows of scales, and a last matrix in another format; then no scales.
  ["families/odd_vocab_101", "q4"],
  ["families/odd_vocab_101", "auto"],
  // Scales are far behind their codes in the file, and what belongs to them is read with them.
  ["quantised/gptq_4bit_sym_g32", "auto"],
] as const)("%s, %s", async (name, weights) => {
  const path = fileURLToPath(new URL(`../golden/${name}`, import.meta.url));
  const folder = folderSource(path);
  let reads = 0;
  const origin: Source = {
    name: folder.name,
    size: folder.size,
    read: (...range) => {
      reads++;
      return folder.read(...range);
    },
    version: async () => "1",
    sha256: async (file) =>
      createHash("sha256")
        .update(readFileSync(`${path}/${file}`))
        .digest("hex"),
  };
  const store = new MemoryStore();
  const platform: Platform = {
    openDevice: async () => borrowDevice(device),
    openSource: () => origin,
    tuning: { read: async () => undefined, write: async () => {} },
    store: { open: (source) => store.open(source), openReadOnly: async (source) => source },
  };
  const ids = [1, 5, 9, 3];
  const logits = async (options: object) => {
    const model = await loadModel(platform, undefined, { weights, chunkLength: 16, ...options });
    const found = await model.logits(ids);
    model.dispose();
    return found;
  };
  const first = await logits({});
  reads = 0;
  expect(await logits({})).toEqual(first);
  expect(await logits({ maxBindingBytes: 4096 })).toEqual(first);
  expect(reads).toBe(0);
});
