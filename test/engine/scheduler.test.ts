// Concurrent answers: sharing a batch does not change an answer, no answer blocks another, and cached
// prefixes are reused.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Chunk, type GenerateOptions, loadModel, type Model } from "../../engine/node.ts";
import { openTestDevice } from "../helpers.ts";

const PARALLEL = 8;
let model: Model;
/** The default when loading. */
let plain: Model;
beforeAll(async () => {
  const device = await openTestDevice();
  // Chunks of a fraction of the window, so that prompts are prefilled while others decode.
  model = await loadModel(undefined, { parallel: PARALLEL, chunkLength: 32, device });
  plain = await loadModel(undefined, { chunkLength: 32, device });
});
afterAll(() => {
  model.dispose();
  plain.dispose();
});

/** Ids whose beginning differs for every seed. */
const someIds = (length: number, seed: number): number[] =>
  Array.from({ length }, (_, i) => (3 + seed + (i * i * 7 + i * (seed + 3)) * 5) % 2048);

interface Ask extends GenerateOptions {
  readonly prompt: string | readonly number[];
}

async function answer(
  { prompt, ...options }: Ask,
  onChunk: (chunk: Chunk) => void = () => {},
  by: Model = model,
) {
  const chunks: Chunk[] = [];
  for await (const chunk of by.generate(prompt, { temperature: 0, ignoreEos: true, ...options })) {
    chunks.push(chunk);
    onChunk(chunk);
  }
  return {
    ids: chunks.flatMap(({ ids }) => ids),
    text: chunks.map(({ text }) => text).join(""),
    logProbs: chunks.flatMap(({ logProbs }) => logProbs ?? []),
    finish: chunks.at(-1)!.finish!,
  };
}

const penalties = { repetitionPenalty: 1.2, frequencyPenalty: 0.3, logitBias: { 300: 2 } };
/**
 * One of every kind: greedy, sampled, penalised, observed; prompts shorter and longer than the window; short
 * and long answers.
 */
const ASKS: readonly Ask[] = [
  { prompt: "Once upon a time", maxTokens: 40 },
  { prompt: "Lily and Tom", maxTokens: 25, temperature: 1, seed: 7 },
  { prompt: someIds(150, 1), maxTokens: 30, temperature: 0.8, topP: 0.9, topK: 40, seed: 8, ...penalties },
  { prompt: "The cat", maxTokens: 12, topLogProbs: 2 },
  { prompt: someIds(33, 2), maxTokens: 1 },
  { prompt: "One day", maxTokens: 50, temperature: 1, seed: 9, minP: 0.05 },
  { prompt: someIds(64, 3), maxTokens: 20, ...penalties },
  { prompt: "A dog", maxTokens: 35, temperature: 1, seed: 10, topLogProbs: 0 },
];

describe("sharing a batch", () => {
  let alone: Awaited<ReturnType<typeof answer>>[];
  beforeAll(async () => {
    alone = [];
    for (const ask of ASKS) alone.push(await answer(ask));
  });

  test("eight concurrent answers equal those computed alone, bit for bit", async () => {
    const before = await model.activity();
    const together = await Promise.all(ASKS.map((ask) => answer(ask)));
    for (const [i, { ids, text, logProbs }] of together.entries()) {
      expect({ i, ids, text, logProbs }).toEqual({
        i,
        ids: alone[i]!.ids,
        text: alone[i]!.text,
        logProbs: alone[i]!.logProbs,
      });
    }
    const after = await model.activity();
    // They did share: the same number of rows in far fewer steps.
    expect(after.stepRows - before.stepRows).toBeGreaterThan(2 * (after.steps - before.steps));
    expect(after).toMatchObject({ running: 0, waiting: 0, parallel: PARALLEL });
  });

  test("does not depend on answers that join or leave: staggered, aborted, more than fit", async () => {
    const waves = Array.from({ length: 14 }, (_, i) => ({ i, ask: ASKS[(i * 5) % ASKS.length]! }));
    const answers = waves.map(async ({ i, ask }) => {
      await new Promise((resolve) => setTimeout(resolve, 40 * (i % 7)));
      if (i % 4 !== 3) return { i, got: await answer(ask) };
      const controller = new AbortController();
      let tokens = 0;
      const got = await answer({ ...ask, signal: controller.signal }, () => {
        if (++tokens === 3) controller.abort();
      });
      return { i, got };
    });
    for (const { i, got } of await Promise.all(answers)) {
      const expected = alone[(i * 5) % ASKS.length]!.ids;
      expect({ i, ids: got.ids }).toEqual({ i, ids: expected.slice(0, got.ids.length) });
      if (i % 4 !== 3) expect(got.ids.length).toBe(expected.length);
    }
  });
});

describe("fairness", () => {
  test("two concurrent answers take turns, with the default options", async () => {
    const order: string[] = [];
    const note = (name: string) => () => order.push(name);
    await Promise.all([
      answer({ prompt: "Once", maxTokens: 20 }, note("a"), plain),
      answer({ prompt: "The", maxTokens: 20 }, note("b"), plain),
    ]);
    const middle = order.slice(8, -8);
    expect(middle.filter((name) => name === "a").length).toBeGreaterThan(middle.length / 3);
    expect(middle.filter((name) => name === "b").length).toBeGreaterThan(middle.length / 3);
  });

  test("a long prompt does not block an answer: one token per chunk", async () => {
    let running = 0;
    let meanwhile = 0;
    let begun: (() => void) | undefined;
    const long = new Promise<void>((resolve) => {
      begun = resolve;
    }).then(() => answer({ prompt: someIds(320, 11), maxTokens: 1 }, () => (meanwhile = running)));
    await answer({ prompt: "Once", maxTokens: 40 }, () => {
      if (++running === 5) begun?.();
    });
    await long;
    // 10 chunks of 32 tokens.
    expect(meanwhile).toBeGreaterThanOrEqual(5 + 6);
    expect(meanwhile).toBeLessThan(5 + 20);
  });

  test.each([
    ["scored", 12, async (by: Model, ids: number[]) => (await by.score(ids)).logProbs],
    ["read for its logits", 13, (by: Model, ids: number[]) => by.logits(ids)],
  ])(
    "a long text that is %s does not block an answer, and both equal those computed alone",
    async (_, seed, read) => {
      const ask = { prompt: "Once", maxTokens: 30 };
      // On the other model, because this one would reuse its rings.
      const expected = [(await answer(ask, undefined, plain)).ids, await read(plain, someIds(320, seed))];
      let running = 0;
      let meanwhile = 0;
      let begun: (() => void) | undefined;
      const long = new Promise<void>((resolve) => {
        begun = resolve;
      }).then(async () => {
        const result = await read(model, someIds(320, seed));
        meanwhile = running;
        return result;
      });
      const { ids } = await answer(ask, () => {
        if (++running === 5) begun?.();
      });
      expect([ids, await long]).toEqual(expected);
      expect(meanwhile).toBeGreaterThanOrEqual(5 + 6);
      expect(meanwhile).toBeLessThan(5 + 20);
    },
  );

  test("a reader that stopped reading blocks no other answer, and resumes where it was", async () => {
    const ask = { prompt: "Once upon a time", maxTokens: 60 };
    const slow = model.generate(ask.prompt, { temperature: 0, maxTokens: ask.maxTokens, ignoreEos: true });
    const ids: number[] = [];
    for (let i = 0; i < 5; i++) ids.push(...((await slow.next()).value as Chunk).ids);
    const { decodedTokens } = await model.activity();
    await answer({ prompt: "The cat", maxTokens: 40 });
    const after = await model.activity();
    expect(after.running).toBe(1);
    // The paused answer is at most four tokens ahead of its reader.
    expect(after.decodedTokens - decodedTokens).toBeLessThanOrEqual(40 + 4);
    for await (const chunk of slow) ids.push(...chunk.ids);
    expect(ids).toEqual((await answer(ask)).ids);
  });

  test("an answer that ends makes room at once for one in the queue", async () => {
    const endless = Array.from({ length: PARALLEL }, (_, i) =>
      model.generate(someIds(5, 20 + i), { temperature: 0, maxTokens: 1000, ignoreEos: true }),
    );
    await Promise.all(endless.map((each) => each.next()));
    const waiting = answer({ prompt: "Once", maxTokens: 3 });
    await endless[0]!.next();
    expect(await model.activity()).toMatchObject({ running: PARALLEL, waiting: 1 });
    await endless[3]!.return();
    expect((await waiting).ids.length).toBe(3);
    await Promise.all(endless.map((each) => each.return()));
    expect(await model.activity()).toMatchObject({ running: 0, waiting: 0 });
  });

  test("an abort in the queue ends the wait", async () => {
    const endless = Array.from({ length: PARALLEL }, (_, i) =>
      model.generate(someIds(5, 40 + i), { temperature: 0, maxTokens: 1000, ignoreEos: true }),
    );
    await Promise.all(endless.map((each) => each.next()));
    const controller = new AbortController();
    const waiting = answer({ prompt: "Once", maxTokens: 3, signal: controller.signal });
    controller.abort();
    expect((await waiting).finish).toMatchObject({ reason: "abort", completionTokens: 0 });
    await Promise.all(endless.map((each) => each.return()));
  });
});

describe("cached prefixes are reused", () => {
  const system = someIds(400, 60);
  const turn = (seed: number) => [...system, ...someIds(20, seed)];
  /** Computed by a model whose two rings hold none of it. */
  const fresh = async (prompt: readonly number[]) => {
    await Promise.all([7, 8].map((id) => answer({ prompt: [id], maxTokens: 1 }, () => {}, plain)));
    const { logProbs, finish } = await answer({ prompt, maxTokens: 8, topLogProbs: 0 }, () => {}, plain);
    expect(finish.cachedTokens).toBe(0);
    return logProbs;
  };

  test("400 tokens that prompts share are computed once, whether the first answer still runs or not", async () => {
    const expected = await fresh(turn(62));
    const before = await model.activity();
    const first = model.generate(turn(61), { temperature: 0, maxTokens: 12, ignoreEos: true });
    await first.next();
    // The first still runs, so its tokens are copied. A copy of a shorter prefix holds no more than the
    // original.
    await answer({ prompt: turn(64).slice(0, 401), maxTokens: 1 });
    const shorter = await answer({ prompt: [...system.slice(0, 380), 5, 6], maxTokens: 1 });
    expect(shorter.finish.cachedTokens).toBe(0);
    const { prefillTokens } = await model.activity();
    expect(prefillTokens - before.prefillTokens).toBe(420 + 1 + 382);
    // The copied ring gives the same bits as a model that computed everything.
    const second = await answer({ prompt: turn(62), maxTokens: 8, topLogProbs: 0 });
    expect(second.logProbs).toEqual(expected);
    await first.return();
    const third = await answer({ prompt: turn(63), maxTokens: 2 });
    expect([second.finish.cachedTokens, third.finish.cachedTokens]).toEqual([400, 400]);
    const after = await model.activity();
    expect(after.prefillTokens - prefillTokens).toBe(20 + 20);
    expect(after.reusedTokens - before.reusedTokens).toBe(1200);
  });

  test("prompts that arrive together: the others wait for the first to compute the shared tokens", async () => {
    const shared = someIds(200, 70);
    const before = await model.activity();
    const all = [71, 72, 73].map((seed) =>
      answer({ prompt: [...shared, ...someIds(9, seed)], maxTokens: 4 }),
    );
    const cached = (await Promise.all(all)).map(({ finish }) => finish.cachedTokens);
    expect(cached).toEqual([0, 200, 200]);
    expect((await model.activity()).prefillTokens - before.prefillTokens).toBe(200 + 3 * 9);
  });

  test("tokens that rolled out of the window are not reused", async () => {
    const prompt = someIds(100, 80);
    // 163 slots: the first 56 positions are overwritten before the end.
    await answer({ prompt, maxTokens: 120 });
    const again = [...prompt.slice(0, 60), ...someIds(20, 81)];
    const got = await answer({ prompt: again, maxTokens: 8, topLogProbs: 0 });
    expect(got.finish.cachedTokens).toBe(0);
    expect(got.logProbs).toEqual(await fresh(again));
  });

  test("a conversation keeps its ring while others use theirs; the least recently used is dropped first", async () => {
    const conversation = someIds(90, 90);
    const first = await answer({ prompt: conversation, maxTokens: 10 });
    for (let i = 0; i < PARALLEL - 1; i++) await answer({ prompt: someIds(20, 100 + i), maxTokens: 2 });
    const next = [...conversation, ...first.ids, ...someIds(5, 91)];
    expect((await answer({ prompt: next, maxTokens: 2 })).finish.cachedTokens).toBe(90 + 9);
    for (let i = 0; i < PARALLEL; i++) await answer({ prompt: someIds(20, 120 + i), maxTokens: 2 });
    expect((await answer({ prompt: next, maxTokens: 2 })).finish.cachedTokens).toBe(0);
  });
});
