// `score` with `from`: the same log-probabilities, and a context that is computed once.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Decoder } from "../../engine/graph/decoder.ts";
import type { LoadedModel } from "../../engine/model.ts";
import { loadModel, type Model } from "../../engine/node.ts";
import { expectNoUnhandledRejections, openTestDevice } from "../helpers.ts";

expectNoUnhandledRejections();

let device: GPUDevice;
let model: Model;
beforeAll(async () => {
  device = await openTestDevice();
  model = await loadModel(undefined, { device, contextLength: 256, chunkLength: 32 });
});
afterAll(() => {
  model?.dispose();
  device?.destroy();
});

const STORY =
  "Once upon a time, there was a little girl named Lily. She had a dog. One day the dog ran away,";

const expectClose = (actual: Float32Array, expected: Float32Array) => {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 3);
  });
};

test("the endings of one context score as whole texts do, in any order", async () => {
  const context = (await model.encode(STORY)).length;
  const endings = [
    " and Lily was very sad.",
    " far",
    " and it found a big bone in the garden of the old man.",
  ];
  const lists = await Promise.all(endings.map((ending) => model.encode(STORY + ending)));
  const whole = [];
  for (const ids of lists) whole.push((await model.score(ids)).logProbs.slice(context - 1));
  for (const i of [0, 2, 1, 0]) {
    const { logProbs, perplexity } = await model.score(lists[i]!, { from: context });
    expectClose(logProbs, whole[i]!);
    const mean = whole[i]!.reduce((a, b) => a + b, 0) / whole[i]!.length;
    expect(perplexity).toBeCloseTo(Math.exp(-mean), 2);
  }
});

test("only the first ending computes the context", async () => {
  const options = { device, contextLength: 256, chunkLength: 32, rings: 1 };
  const fresh = (await loadModel(undefined, options)) as LoadedModel;
  const prefilled: number[] = [];
  try {
    await fresh.measure(async ({ decoder }) => {
      const prefillChunk = decoder.prefillChunk.bind(decoder);
      Object.assign(decoder, {
        prefillChunk: async (...args: Parameters<Decoder["prefillChunk"]>) => {
          const count = await prefillChunk(...args);
          // What is scored keeps no last row.
          if (args[4] !== false) prefilled.push(count);
          return count;
        },
      });
    });
    const context = await fresh.encode(STORY);
    await fresh.score([...context, 300, 301], { from: context.length });
    // The last token of the context is in the pass that scores the ending.
    expect(prefilled).toEqual([context.length - 1]);
    await fresh.score([...context, 302], { from: context.length });
    expect(prefilled).toHaveLength(1);
    // This one shares ten tokens with what is in the ring.
    const other = [...context.slice(0, 10), ...context.slice(0, 12)];
    const { logProbs } = await fresh.score([...other, 300], { from: other.length });
    expect(prefilled.slice(1)).toEqual([other.length - 1 - 10]);
    expectClose(logProbs, (await fresh.score([...other, 300])).logProbs.slice(-1));
  } finally {
    fresh.dispose();
  }
});

test("a ring that has rolled past the context computes it again", async () => {
  const small = await loadModel(undefined, {
    device,
    window: 16,
    chunkLength: 8,
    contextLength: 200,
    rings: 1,
  });
  try {
    const context = await small.encode(STORY);
    const [long, short] = [
      [...context, ...context.slice(1)],
      [...context, 300],
    ];
    const [first] = [(await small.score(short)).logProbs.slice(-1)];
    await small.score(long);
    expectClose((await small.score(short, { from: context.length })).logProbs, first);
  } finally {
    small.dispose();
  }
});

test("from is the index of a token with one before it", async () => {
  await expect(model.score([1, 300, 301], { from: 3 })).rejects.toMatchObject({
    ...{ name: "RangeError", parameter: "from" },
    message: expect.stringContaining("expected at most 2"),
  });
  await expect(model.score([1, 300], { from: 0 })).rejects.toMatchObject({ parameter: "from" });
  expect((await model.score([1, 300, 301], { from: 2 })).logProbs).toHaveLength(1);
});
