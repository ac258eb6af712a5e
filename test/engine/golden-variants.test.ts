// Every variant of the matrix kernels, forced, against the same reference as golden.test.ts. A separate file,
// so that both run in parallel.
import { beforeAll, describe, expect, test } from "vitest";
import { borrowDevice } from "../../engine/gpu/gpu.ts";
import { loadModel } from "../../engine/node.ts";
import { matmulCandidates, matvecCandidates } from "../../engine/tuning/kernel-choice.ts";
import { matmulVariants, matvecVariants, weightFormats } from "../../kernels/index.ts";
import { openTestDevice } from "../helpers.ts";
import { checkLogits, f32, greedy, read, sample } from "./golden.ts";

let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});

describe("every variant of the matrix kernels, forced: the same numbers", () => {
  // One variant of each kind at a time; a kind with fewer variants repeats its first.
  const names = Array.from(
    { length: Math.max(Object.keys(matvecVariants).length, Object.keys(matmulVariants).length) },
    (_, i) => [i] as const,
  );
  test.each(names)("number %d", async (i) => {
    const { adapter } = borrowDevice(device);
    const matvec = matvecCandidates(adapter)[i] ?? "workgroup";
    const matmul = matmulCandidates(adapter, weightFormats.bf16)[i] ?? "tile";
    const kernels = { matvec, matmul, attention: i % 2 === 0 ? "workgroup" : "lane" } as const;
    if (i > 0 && matvec === "workgroup" && matmul === "tile") return;
    const model = await loadModel(undefined, { kernels, device });
    const golden = await read("10_len_129");
    await checkLogits(model, golden.ids, f32(golden.last_logits.f32_base64));
    expect(await greedy(model, golden.ids, 8)).toEqual(golden.greedy_64_ids.slice(0, 8));
    model.dispose();
  });

  // Lossy variants run on weights that round more; their loss must stay within the bounds of those formats.
  test.each([
    ["f16", "tile_f16", 1e-3],
    ["q8", "tile_int8", 5e-3],
  ] as const)("perplexity in %s by %s is within %d of bf16", async (weights, matmul, bound) => {
    if (!matmulCandidates(borrowDevice(device).adapter, weightFormats[weights]).includes(matmul)) return;
    const golden = await sample(process.env["SIROCCO_DRIVER"] === "swiftshader");
    const model = await loadModel(undefined, { weights, device, kernels: { matmul } });
    const { perplexity } = await model.score(golden.ids);
    model.dispose();
    const change = perplexity / golden.perplexity - 1;
    console.log(
      `${weights} by ${matmul}: perplexity ${perplexity.toFixed(5)} (${(100 * change).toFixed(3)} %)`,
    );
    expect(Math.abs(change)).toBeLessThan(bound);
  });
});
