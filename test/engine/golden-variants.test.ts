// Every variant of the hot kernels, forced, against the same reference as golden.test.ts. A separate file,
// so that both run in parallel.
import { beforeAll, describe, expect, test } from "vitest";
import { borrowDevice } from "../../engine/gpu/gpu.ts";
import { loadModel, type TokenLogProb } from "../../engine/node.ts";
import {
  attentionCandidates,
  matmulCandidates,
  matvecCandidates,
} from "../../engine/tuning/kernel-choice.ts";
import { matmulVariants, matvecVariants, weightFormats } from "../../kernels/index.ts";
import { openTestDevice } from "../helpers.ts";
import { isSlowDriver } from "../slow-driver.ts";
import { checkLogits, f32, greedy, read, sample } from "./golden.ts";

let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});

describe("every variant of the hot kernels, forced: the same numbers", () => {
  // One variant of each kind at a time; a kind with fewer variants starts again.
  const most = Math.max(Object.keys(matvecVariants).length, Object.keys(matmulVariants).length);
  test.for(Array.from({ length: most }, (_, i) => i))("number %d", async (i, { skip }) => {
    const { adapter } = borrowDevice(device);
    const names = {
      matvec: matvecCandidates(adapter, weightFormats.bf16),
      matmul: matmulCandidates(adapter, weightFormats.bf16),
      attention: attentionCandidates(adapter),
    };
    skip(
      Object.values(names).every(({ length }) => i >= length),
      "the driver has no more variants",
    );
    const at = <T>(variants: readonly T[]): T => variants[i % variants.length]!;
    const kernels = {
      matvec: at(names.matvec),
      matmul: at(names.matmul),
      attention: at(names.attention),
    };
    // On a slow driver: the variants that only it has. The others have run on a faster one.
    const needed = [matvecVariants[kernels.matvec], matmulVariants[kernels.matmul]];
    skip(isSlowDriver && !needed.some((each) => "subgroupSize" in each), "compiles slowly");
    const model = await loadModel(undefined, { kernels, device });
    const golden = await read("10_len_129");
    await checkLogits(model, golden.ids, f32(golden.last_logits.f32_base64));
    expect(await greedy(model, golden.ids, 8)).toEqual(golden.greedy_64_ids.slice(0, 8));
    model.dispose();
  });

  // Lossy variants run on weights that round more; their loss must stay within the bounds of those formats.
  test.for([
    ["f16", "tile_f16", 1e-3],
    ["q8", "tile_int8", 5e-3],
  ] as const)("perplexity in %s by %s is within %d of bf16", async ([weights, matmul, bound], { skip }) => {
    const able = matmulCandidates(borrowDevice(device).adapter, weightFormats[weights]);
    skip(!able.includes(matmul), "the driver lacks it");
    skip(isSlowDriver, "compiles slowly");
    const golden = await sample(false);
    const model = await loadModel(undefined, { weights, device, kernels: { matmul } });
    const { perplexity } = await model.score(golden.ids);
    model.dispose();
    const change = perplexity / golden.perplexity - 1;
    console.log(
      `${weights} by ${matmul}: perplexity ${perplexity.toFixed(5)} (${(100 * change).toFixed(3)} %)`,
    );
    expect(Math.abs(change)).toBeLessThan(bound);
  });

  // The same for decode: log-probabilities of steps, against a pass over the same weights without rounding.
  test("log-probabilities in q4 by stream_int8 are near those of exact products", async ({ skip }) => {
    skip(isSlowDriver, "compiles slowly");
    const { ids } = await read("02_once");
    const kernels = { matvec: "stream_int8" } as const;
    const model = await loadModel(undefined, { weights: "q4", parallel: 1, device, kernels });
    const steps: TokenLogProb[] = [];
    for await (const { logProbs } of model.generate(ids, {
      temperature: 0,
      maxTokens: 24,
      topLogProbs: 0,
      ignoreEos: true,
    }))
      steps.push(...(logProbs ?? []));
    const { logProbs: exact } = await model.score([...ids, ...steps.map(({ id }) => id)]);
    model.dispose();
    const errors = steps.map(({ logProb }, i) => Math.abs(logProb - exact[ids.length - 1 + i]!));
    const mean = errors.reduce((a, b) => a + b) / errors.length;
    console.log(`q4 by stream_int8: log-probabilities are off by ${mean.toFixed(5)}`);
    expect(mean).toBeLessThan(1e-2);
    expect(mean, "it rounds").toBeGreaterThan(1e-4);
  });
});
