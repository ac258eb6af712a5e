// Passes cut into many submits: the same bits, whole answers after one that was stopped within a chunk.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Decoder } from "../../engine/graph/decoder.ts";
import type { LoadedModel } from "../../engine/model.ts";
import { loadModel } from "../../engine/node.ts";
import { expectNoUnhandledRejections, openTestDevice } from "../helpers.ts";

const folder = new URL("../golden/families/window_7", import.meta.url).pathname;
const ids = (length: number, seed: number) => Array.from({ length }, (_, i) => (i * i * 7 + i * seed) % 60);

expectNoUnhandledRejections();

let submits = 0;
let onSubmit = () => {};
let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
  const submit = device.queue.submit.bind(device.queue);
  device.queue.submit = (commands) => {
    submits++;
    submit(commands);
    onSubmit();
  };
});
afterAll(() => device.destroy());

/** A model whose submits take at most `budgetMs`. */
async function load(budgetMs: number, parallel: number): Promise<LoadedModel> {
  const model = (await loadModel(folder, { device, chunkLength: 8, parallel })) as LoadedModel;
  await model.measure(async ({ decoder }: { decoder: Decoder }) => {
    Object.assign(decoder.submitter, { budgetMs });
  });
  return model;
}

async function answer(
  model: LoadedModel,
  prompt: readonly number[],
  maxTokens: number,
  signal?: AbortSignal,
) {
  const answered: number[] = [];
  const options = { maxTokens, ignoreEos: true, temperature: 0.7, seed: 3, topLogProbs: 1 };
  const logProbs: number[] = [];
  for await (const chunk of model.generate(prompt, { ...options, ...(signal && { signal }) })) {
    answered.push(...chunk.ids);
    logProbs.push(...(chunk.logProbs ?? []).map(({ logProb }) => logProb));
  }
  return { answered, logProbs };
}

test("answers, logits and scores have the same bits in one submit a pass and in many", async () => {
  const results = [];
  const counts: number[] = [];
  for (const budgetMs of [Infinity, 1e-6]) {
    const model = await load(budgetMs, 2);
    const before = submits;
    const shared = ids(30, 5);
    results.push([
      await Promise.all([answer(model, shared, 12), answer(model, ids(21, 3), 9)]),
      // The prefix is copied from the ring of the first.
      await Promise.all([answer(model, shared, 6), answer(model, [...shared, 4, 5], 6)]),
      await model.logits(ids(29, 2)),
      await model.score(ids(40, 11)),
    ]);
    counts.push(submits - before);
    model.dispose();
  }
  expect(results[1]).toEqual(results[0]);
  expect(counts[1]).toBeGreaterThan(5 * counts[0]!);
});

test("a model disposed of within a pass uses its buffers no more: the caller's device reports no error", async () => {
  const errors: string[] = [];
  const report = ({ error }: GPUUncapturedErrorEvent) => errors.push(error.message);
  device.addEventListener("uncapturederror", report);
  const model = await load(1e-6, 1);
  const start = submits;
  onSubmit = () => {
    if (submits - start === 6) queueMicrotask(() => model.dispose());
  };
  await expect(answer(model, ids(21, 5), 2)).rejects.toMatchObject({ code: "disposed" });
  onSubmit = () => {};
  await device.queue.onSubmittedWorkDone();
  await new Promise((resolve) => setTimeout(resolve, 50));
  device.removeEventListener("uncapturederror", report);
  expect(errors).toEqual([]);
});

test("an answer stopped within a chunk ends there, and its ring is used no further than it holds", async () => {
  const model = await load(1e-6, 1);
  const first = ids(13, 5);
  const other = [...first.slice(0, 5), 3, 1, 4];
  const undisturbed = await answer(model, other, 8);
  await model.measure(async () => {});
  await answer(model, first, 1);

  const before = submits;
  await answer(model, [...first, ...ids(8, 9)], 1);
  const whole = submits - before;
  await model.measure(async () => {});
  await answer(model, first, 1);
  const controller = new AbortController();
  const start = submits;
  onSubmit = () => {
    if (submits - start === whole >> 1) controller.abort(new Error("stopped"));
  };
  await answer(model, [...first, ...ids(8, 9)], 1, controller.signal).catch((error: unknown) => error);
  onSubmit = () => {};
  expect(submits - start).toBeLessThan(whole - 2);

  // The slots of its first tokens are overwritten.
  expect(await answer(model, other, 8)).toEqual(undisturbed);
  model.dispose();
});
