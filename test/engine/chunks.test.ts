// Every way to chunk a prompt gives the same numbers, over three windows and more; generation agrees with
// re-scoring.
import { beforeAll, expect, test } from "vitest";
import { type Chunk, type LoadOptions, loadModel, type Model } from "../../engine/node.ts";
import { openTestDevice } from "../helpers.ts";
import { isSlowDriver } from "../slow-driver.ts";
import { gpuKernels } from "./golden.ts";
import { watchDevice } from "./watch-device.ts";

const folder = new URL("../golden/families/", import.meta.url).pathname;

// One device for all: the models share pipelines.
let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});

/** Deterministic ids below V. */
const someIds = (length: number, V: number): number[] =>
  Array.from({ length }, (_, i) => (i * i * 7 + i * 3 + 1) % V);

const largest = (a: Float32Array, b: Float32Array): number =>
  a.reduce((max, value, i) => Math.max(max, Math.abs(value - b[i]!)), a.length === b.length ? 0 : Infinity);

async function lastOf(chunks: AsyncIterable<Chunk>): Promise<Chunk> {
  let last: Chunk = { text: "", ids: [] };
  for await (const chunk of chunks) last = chunk;
  return last;
}

async function withModel<T>(
  name: string,
  chunkLength: number,
  use: (model: Model) => Promise<T>,
  options: LoadOptions = {},
): Promise<T> {
  const model = await loadModel(`${folder}${name}`, { chunkLength, device, ...options });
  try {
    return await use(model);
  } finally {
    model.dispose();
  }
}

test.each([
  ["window_7", 7, "f32", isSlowDriver ? [1, 6] : [1, 7, 6, 8]],
  ["gqa_4x2", 16, "f32", isSlowDriver ? [7, 17] : [1, 7, 15, 16, 17]],
  // Every key and value is read back from the ring, the newest too, so what q8 rounds off is the same for
  // all.
  ["window_7", 7, "q8", [1, 8]],
] as const)("%s, W = %i, cache %s: one chunk = chunks of %j", async (family, W, cache, chunks) => {
  // Over 5 windows: slots are reused several times, at lengths that are no multiple of the chunk or window.
  const length = 5 * W + 3;
  const whole = await withModel(
    family,
    length,
    async (model) => {
      const ids = someIds(length, model.config.V);
      expect(model.config.W).toBe(W);
      return { ids, logits: await model.logits(ids), score: await model.score(ids) };
    },
    { cache },
  );
  for (const chunk of chunks) {
    await withModel(
      family,
      chunk,
      async (model) => {
        // The two sides differ only with several chunks and a ring that rolls over.
        expect(Math.ceil(length / chunk)).toBeGreaterThan(1);
        expect(model.plan.cacheSlots).toBeLessThan(length);
        expect(largest(await model.logits(whole.ids), whole.logits), `chunks of ${chunk}`).toBeLessThan(1e-4);
        expect(
          largest((await model.score(whole.ids)).logProbs, whole.score.logProbs),
          `chunks of ${chunk}`,
        ).toBeLessThan(1e-4);
      },
      { cache },
    );
  }
});

// A key that the two ways of multiplying leave a hair apart may fall to neighbouring codes of q8: one step of
// 1/254 of the largest entry of its group, so rarely that here the logits are equal. Were the newest key and
// value read before they are rounded, the logits would be 0.018 apart.
test.each([
  ["f32", 1e-4, { kernels: { attention: gpuKernels.attention } }],
  ["q8", 5e-3, {}],
] as const)("one prefill = token by token through the decode kernels, %s", async (cache, bound, more) => {
  const options = { cache, ...more };
  const run = async (model: Model) => {
    // Five windows, all but the first token written by decode steps.
    const ids = [1];
    for await (const chunk of model.generate(ids.slice(), {
      temperature: 0,
      maxTokens: 5 * model.config.W!,
      ignoreEos: true,
    })) {
      ids.push(...chunk.ids);
    }
    const { finish } = await lastOf(model.generate(ids, { temperature: 0, maxTokens: 1, ignoreEos: true }));
    expect(finish?.cachedTokens).toBe(ids.length - 1);
    const stepwise = await model.logits(ids);
    const whole = await withModel("gqa_4x2", 100, (untouched) => untouched.logits(ids), options);
    expect(largest(stepwise, whole)).toBeLessThan(bound);
  };
  await withModel("gqa_4x2", 100, run, options);
});

test("generate, then score in one prefill: the same log-probabilities", async () => {
  await withModel("gqa_4x2", 16, async (model) => {
    const { V, W } = model.config;
    const prompt = someIds(20, V);
    const ids = [...prompt];
    // Longer than three windows, so that decode rolls over what prefill wrote.
    for await (const chunk of model.generate(prompt, {
      temperature: 0,
      maxTokens: 3 * W! + 10,
      ignoreEos: true,
    })) {
      ids.push(...chunk.ids);
    }
    expect(ids.length).toBe(20 + 3 * W! + 10);
    const { logProbs } = await model.score(ids);
    for (const at of [20, 40, 60, ids.length - 1]) {
      const logits = await model.logits(ids.slice(0, at));
      const top = logits.reduce((best, value, i) => (value > logits[best]! ? i : best), 0);
      expect(top).toBe(ids[at]);
      const total = logits.reduce((sum, value) => sum + Math.exp(value - logits[top]!), 0);
      expect(Math.abs(-Math.log(total) - logProbs[at - 1]!)).toBeLessThan(5e-4);
    }
  });
});

test("keys that rolled out of the ring are not reused", async () => {
  await withModel("window_7", 4, async (model) => {
    const prompt = someIds(9, model.config.V);
    const other = [...prompt.slice(0, 8), 5, 6, 7];
    const ids = [...prompt];
    for await (const chunk of model.generate(prompt, { temperature: 0, maxTokens: 12, ignoreEos: true }))
      ids.push(...chunk.ids);
    expect(model.plan.cacheSlots).toBe(14);
    // 20 positions were written, so those before 6 were overwritten. A token after 11 shared ones sees
    // position 5.
    const late = [...ids.slice(0, 11), (ids[11]! + 1) % model.config.V];
    const [fresh, freshLate] = await withModel("window_7", 4, async (untouched) => [
      await untouched.logits(other),
      await untouched.logits(late),
    ]);
    expect(largest(await model.logits(late), freshLate!)).toBeLessThan(1e-4);
    // Steps in flight past a stop roll keys out as well.
    for (let tokens = 1; tokens < 9; tokens++) {
      await model.logits([1]);
      let seen = 0;
      for await (const { ids } of model.generate(prompt, {
        temperature: 0,
        maxTokens: 30,
        ignoreEos: true,
      })) {
        seen += ids.length;
        if (seen === tokens) break;
      }
      expect(largest(await model.logits(other), fresh!), `${tokens} tokens`).toBeLessThan(1e-4);
    }
  });
});

test("a pass that continues from the ring keeps track of slots written past it", async () => {
  await withModel("window_7", 4, (model) =>
    withModel("window_7", 4, async (untouched) => {
      const prompt = someIds(9, model.config.V);
      for (let tokens = 1; tokens < 9; tokens++) {
        await model.logits([0]);
        const ids = [...prompt];
        for await (const chunk of model.generate(prompt, {
          temperature: 0,
          maxTokens: 30,
          ignoreEos: true,
        })) {
          ids.push(...chunk.ids);
          if (ids.length === prompt.length + tokens) break;
          // A slow reader: the GPU runs dry, and more steps run past the break.
          await new Promise((resolve) => setTimeout(resolve, 3));
        }
        await model.logits(ids);
        for (let shared = 4; shared < ids.length; shared++) {
          const other = [...ids.slice(0, shared), (ids[shared]! + 1) % model.config.V];
          await untouched.logits([0]);
          const expected = await untouched.logits(other);
          expect(largest(await model.logits(other), expected), `${tokens}, ${shared} shared`).toBeLessThan(
            1e-4,
          );
          await model.logits(ids);
        }
        // Ever shorter prefixes, with nothing restored in between.
        for (let shared = ids.length - 1; shared >= 4; shared--) {
          const other = [...ids.slice(0, shared), (ids[shared]! + 1) % model.config.V];
          await untouched.logits([0]);
          const expected = await untouched.logits(other);
          expect(largest(await model.logits(other), expected), `${tokens}, down to ${shared}`).toBeLessThan(
            1e-4,
          );
        }
      }
    }),
  );
});

test("a conversation of 20 windows keeps memory constant", async () => {
  const own = await openTestDevice();
  const watch = watchDevice(own);
  const bytes = () => [...watch.live].reduce((sum, { size }) => sum + size, 0);
  const model = await loadModel(`${folder}window_7`, { chunkLength: 8, device: own });
  expect(model.plan.cacheSlots).toBe(7 + 8 - 1 + 4);
  const before = bytes();
  const cached: number[] = [];
  let ids = [1];
  while (ids.length < 20 * 7) {
    for await (const chunk of model.generate(ids, { temperature: 0, maxTokens: 20, ignoreEos: true })) {
      ids = [...ids, ...chunk.ids];
      if (chunk.finish) cached.push(chunk.finish.cachedTokens);
    }
  }
  expect(bytes()).toBe(before);
  // Every turn continued from the previous turn's cache.
  expect(cached.slice(1).every((tokens) => tokens > 0)).toBe(true);
  model.dispose();
});

test("onProgress tells each chunk of a prompt, and what an earlier answer left in the cache", async () => {
  await withModel("gqa_4x2", 8, async (model) => {
    const ids = someIds(30, model.config.V);
    const ask = async (length: number) => {
      const told: number[][] = [];
      await lastOf(
        model.generate(ids.slice(0, length), {
          temperature: 0,
          maxTokens: 1,
          onProgress: ({ total, cached, processed }) => told.push([total, cached, processed]),
        }),
      );
      return told;
    };
    // The last token of a prompt is computed with the first step.
    expect(await ask(19)).toEqual([0, 8, 16, 19].map((processed) => [19, 0, processed]));
    const again = await ask(30);
    expect(again[0]?.[1]).toBeGreaterThanOrEqual(18);
    expect(again.at(-1)?.[2]).toBe(30);
  });
});
