// A conversation's cache as bytes: it continues unchanged in another model object, and invalid bytes are
// refused.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LoadOptions, loadModel, type Model, SessionError } from "../../engine/node.ts";
import { openTestDevice } from "../helpers.ts";

const families = new URL("../golden/families/", import.meta.url).pathname;

let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});
afterAll(() => device.destroy());

const someIds = (length: number, V: number): number[] =>
  Array.from({ length }, (_, i) => (i * i * 7 + i * 3 + 1) % V);

async function answer(model: Model, prompt: readonly number[], maxTokens: number) {
  const ids: number[] = [];
  let cached = 0;
  for await (const chunk of model.generate(prompt, { temperature: 0, maxTokens, ignoreEos: true })) {
    ids.push(...chunk.ids);
    cached = chunk.finish?.cachedTokens ?? cached;
  }
  return { ids, cached };
}

async function withModel<T>(
  name: string,
  options: LoadOptions,
  use: (model: Model) => Promise<T>,
): Promise<T> {
  const model = await loadModel(`${families}${name}`, { device, ...options });
  try {
    return await use(model);
  } finally {
    model.dispose();
  }
}

describe.each([
  ["window_7", "f32", 40],
  ["gqa_4x2", "q8", 40],
  ["window_none", "f16", 30],
] as const)("%s, cache %s", (family, cache, length) => {
  test("continues in another model, in a used ring, and in one of another length", async () => {
    const { prompt, session, expected, next } = await withModel(
      family,
      { cache, chunkLength: 8 },
      async (model) => {
        const prompt = someIds(length, model.config.V);
        const first = await answer(model, prompt, 9);
        const session = (await model.saveSession())!;
        const next = [...prompt, ...first.ids, 5, 6, 7];
        return { prompt, session, next, expected: await answer(model, next, 8) };
      },
    );
    expect(expected.cached).toBe(prompt.length + 8);
    const options: LoadOptions[] = [{ chunkLength: 8 }, { chunkLength: 8, parallel: 3 }, { chunkLength: 5 }];
    for (const option of options) {
      await withModel(family, { cache, ...option }, async (model) => {
        await answer(model, someIds(11, model.config.V).reverse(), 4);
        expect(await model.restoreSession(session)).toEqual(next.slice(0, prompt.length + 8));
        expect(await answer(model, next, 8)).toEqual(expected);
      });
    }
  });
});

test("lists the kept conversations, the latest first", () =>
  withModel("gqa_4x2", { parallel: 3 }, async (model) => {
    expect(await model.saveSession()).toBeUndefined();
    const prompts = [10, 14, 18].map((length) =>
      someIds(length, model.config.V).map((id) => (id + length) % model.config.V),
    );
    for (const prompt of prompts) await answer(model, prompt, 1);
    const sessions = [];
    for (let i = 0; i < 4; i++) sessions.push(await model.saveSession({ conversation: i }));
    expect(sessions[3]).toBeUndefined();
    const kept = [];
    for (const session of sessions.slice(0, 3)) kept.push(await model.restoreSession(session!));
    expect(new Set(kept.map(({ length }) => length))).toEqual(new Set([10, 14, 18]));
    expect(kept[0]!.length).toBe(18);
  }));

test("damaged bytes, another model and another format are refused without effect", async () => {
  const session = await withModel("gqa_4x2", { cache: "f32" }, async (model) => {
    await answer(model, someIds(20, model.config.V), 3);
    const session = (await model.saveSession())!;
    for (const at of [0, 20, 40, 200, session.length >> 1, session.length - 40, session.length - 1]) {
      const damaged = session.slice();
      damaged[at]! ^= 1;
      await expect(model.restoreSession(damaged)).rejects.toThrow(SessionError);
    }
    for (const length of [0, 10, 50, session.length - 1])
      await expect(model.restoreSession(session.slice(0, length))).rejects.toThrow(SessionError);
    const prompt = someIds(20, model.config.V);
    expect((await answer(model, [...prompt, 3], 1)).cached).toBe(20);
    return session;
  });
  await withModel("gqa_4x2", { cache: "f16" }, (model) =>
    expect(model.restoreSession(session)).rejects.toThrow(/of this model .* got one of another/),
  );
  await withModel("gqa_4x2", { cache: "f32", weights: "q8" }, (model) =>
    expect(model.restoreSession(session)).rejects.toThrow(/of this model/),
  );
  await withModel("mha_4x4", { cache: "f32" }, (model) =>
    expect(model.restoreSession(session)).rejects.toThrow(/of this model/),
  );
});
