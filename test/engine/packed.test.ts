// A checkpoint from quantizeModel gives exactly the logits of the original loaded in that format, and a
// failed run leaves its folder as it was.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CheckpointError, loadModel, planModel, quantizeModel } from "../../engine/node.ts";
import { openTestDevice } from "../helpers.ts";

// Odd sizes: rows that end in the middle of a group, an odd number of them.
const family = new URL("../golden/families/odd_vocab_101", import.meta.url).pathname;
const root = mkdtempSync(join(tmpdir(), "sirocco-packed-"));
afterAll(() => rmSync(root, { recursive: true }));

let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});

const original = (weights: "bf16" | "q8" | "q4" | "q4a128" | "q4k") => ({
  weights,
  out: join(root, weights),
});
const bytesOf = (folder: string): number => statSync(join(folder, "model.safetensors")).size;

describe.each(["bf16", "q8", "q4", "q4a128", "q4k"] as const)("%s", (weights) => {
  test("loads to the same logits", async () => {
    const { out } = original(weights);
    const progress: number[] = [];
    const { before, bytes, files } = await quantizeModel(family, {
      weights,
      out,
      onProgress: ({ loaded, total }) => progress.push(loaded / total),
    });
    expect(progress.at(-1)).toBe(1);
    expect(readdirSync(out).sort()).toEqual([...files].sort());
    expect(files).toContain("config.json");
    if (weights !== "bf16") expect(bytes).toBeLessThan(0.8 * before);

    // On one device, so that the second one finds its pipelines compiled.
    const options = { device, chunkLength: 16 };
    const model = await loadModel(family, { ...options, weights });
    const packed = await loadModel(out, options);
    expect(packed.plan).toEqual({ ...model.plan, checkpointBytes: bytes, quantised: `packed as ${weights}` });
    const ids = Array.from({ length: 30 }, (_, i) => (i * 37) % 101);
    expect(await packed.logits(ids)).toEqual(await model.logits(ids));
    model.dispose();
    packed.dispose();
  });

  test("is refused in another format", async () => {
    const other = weights === "q4" ? "q8" : "q4";
    const error = await planModel(original(weights).out, { device, weights: other }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toMatch(new RegExp(`packed as ${weights}, not ${other}`));
    const again = quantizeModel(original(weights).out, { weights: "q4", out: join(root, "again") });
    await expect(again).rejects.toThrow(/expected an original checkpoint, got one packed as/);
    expect(existsSync(join(root, "again"))).toBe(false);
  });
});

test("the smaller the format, the smaller the file", () => {
  const [bf16, q8, q4] = (["bf16", "q8", "q4"] as const).map((weights) => bytesOf(original(weights).out));
  expect(q8).toBeLessThan(bf16!);
  expect(q4).toBeLessThan(q8!);
});

describe("the folder", () => {
  test("must be new or empty, and its files stay", async () => {
    const out = join(root, "full");
    mkdirSync(out);
    writeFileSync(join(out, "config.json"), "mine");
    await expect(quantizeModel(family, { weights: "q4", out })).rejects.toMatchObject({
      message: expect.stringMatching(/^out: expected a new or empty folder, got .*full, which holds files/),
      parameter: "out",
      code: "out-of-range",
    });
    expect(readdirSync(out)).toEqual(["config.json"]);
  });

  test.each([
    ["new", false],
    ["empty", true],
  ])("%s, is left unchanged by an abort, and a retry works", async (name, there) => {
    const out = join(root, name);
    if (there) mkdirSync(out);
    const controller = new AbortController();
    let seen: string[] = [];
    const onProgress = ({ loaded, total }: { loaded: number; total: number }) => {
      if (loaded < total / 2) return;
      seen = readdirSync(out);
      controller.abort();
    };
    const options = { weights: "q4", out } as const;
    const error = await quantizeModel(family, { ...options, onProgress, signal: controller.signal }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBe(controller.signal.reason);
    // There were files to clean up, but no complete checkpoint yet.
    expect(seen).toContain("config.json");
    expect(seen).not.toContain("model.safetensors");
    expect(existsSync(out)).toBe(there);
    if (there) expect(readdirSync(out)).toEqual([]);
    await quantizeModel(family, options);
    expect(bytesOf(out)).toBe(bytesOf(original("q4").out));
  });
});
