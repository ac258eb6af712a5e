// Labels for texts: the prompt is computed once, and probabilities are those of whole texts.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Decoder } from "../../engine/graph/decoder.ts";
import type { LoadedModel } from "../../engine/model.ts";
import { ContextLengthError, loadModel, type Message, type ScoreOptions } from "../../engine/node.ts";
import { expectNoUnhandledRejections, openTestDevice } from "../helpers.ts";
import { adapterSource, floats } from "../weights/adapter-files.ts";

expectNoUnhandledRejections();

let device: GPUDevice;
let model: LoadedModel;
/** Tokens of each prefill, and of each scored ending. */
const prefilled: number[] = [];
const scored: number[] = [];

beforeAll(async () => {
  device = await openTestDevice();
  model = (await loadModel(undefined, { device, parallel: 2, contextLength: 512 })) as LoadedModel;
  await model.measure(async ({ decoder }: { decoder: Decoder }) => {
    const prefillChunk = decoder.prefillChunk.bind(decoder);
    Object.assign(decoder, {
      prefillChunk: async (...args: Parameters<Decoder["prefillChunk"]>) => {
        const count = await prefillChunk(...args);
        const [, , , , keepsLast = true] = args;
        // A scored text runs without its last token.
        if (keepsLast) prefilled.push(count);
        else scored.push(count + 1);
        return count;
      },
    });
  });
});
afterAll(() => {
  model?.dispose();
  device?.destroy();
});

/** Softmax of the sum, or mean, of log-probabilities of the last tokens of each list. */
async function expected(
  lists: readonly (readonly number[])[],
  shared: number,
  normalize: boolean,
  options: ScoreOptions = {},
) {
  const scores: number[] = [];
  for (const ids of lists) {
    const logProbs = (await model.score(ids, options)).logProbs.slice(shared - 1);
    const sum = logProbs.reduce((a, b) => a + b, 0);
    scores.push(normalize ? sum / logProbs.length : sum);
  }
  const weights = scores.map((score) => Math.exp(score));
  return weights.map((weight) => weight / weights.reduce((a, b) => a + b, 0));
}

const sharedBy = (lists: readonly (readonly number[])[]): number =>
  lists[0]!.findIndex((id, i) => lists.some((ids) => ids[i] !== id));

test.each([false, true])("labels after a text, normalize: %s", async (normalize) => {
  const text = "Once upon a time, there was a little girl. She found a dog. The dog was";
  const labels = [" very happy to see her", " sad", " a big, brown dragon", " happy"];
  const lists = await Promise.all(labels.map((label) => model.encode(text + label)));
  prefilled.length = scored.length = 0;
  const result = await model.classify(text, labels, { raw: true, normalize });
  expect(prefilled).toEqual([result.promptTokens - result.cachedTokens]);
  // A label of one token is in the logits of the prompt.
  const lengths = lists.map(({ length }) => length - result.promptTokens);
  expect(scored).toEqual(lengths.filter((length) => length > 1));
  expect(new Set(lengths).size).toBeGreaterThan(2);

  expect(result.promptTokens).toBe((await model.encode(text)).length);
  const probabilities = await expected(lists, result.promptTokens, normalize);
  labels.forEach((label, i) => {
    expect(result.probabilities[label]).toBeCloseTo(probabilities[i]!, 4);
  });
  expect(result.label).toBe(labels[probabilities.indexOf(Math.max(...probabilities))]);
  // The second time nothing but the last token of the prompt is computed.
  const again = await model.classify(text, labels, { raw: true, normalize });
  expect(again).toMatchObject({ label: result.label, cachedTokens: result.promptTokens - 1 });
});

test("labels answer messages, or a prompt made of the text", async () => {
  const labels = ["animals", "food", "the weather"];
  const messages: Message[] = [{ role: "user", content: "What is a dog?" }];
  const full = (about: readonly Message[]) =>
    Promise.all(
      labels.map((content) =>
        model.encodeChat([...about, { role: "assistant", content }], { continueFinalMessage: true }),
      ),
    );
  const result = await model.classify(messages, labels);
  const lists = await full(messages);
  const probabilities = await expected(lists, sharedBy(lists), false);
  labels.forEach((label, i) => {
    expect(result.probabilities[label]).toBeCloseTo(probabilities[i]!, 4);
  });

  // The text may look like the template's own words.
  const text = "{labels} $& {text}";
  const asked = await model.classify(text, labels, { prompt: "{labels}: {text}?" });
  const content = "- animals\n- food\n- the weather: {labels} $& {text}?";
  const same = await model.classify([{ role: "user", content }], labels);
  expect(asked).toEqual({ ...same, cachedTokens: asked.cachedTokens });
  const byDefault = await model.classify("Rex barks.", labels);
  expect(Object.keys(byDefault.probabilities)).toEqual(labels);
  expect(Object.values(byDefault.probabilities).reduce((a, b) => a + b)).toBeCloseTo(1, 6);
});

test("the border between text and label may lie within a token", async () => {
  const apart = await model.classify("The dog was ", ["happy", "sad"], { raw: true });
  const { happy, sad } = apart.probabilities;
  const { probabilities } = await model.classify("The dog was", [" happy", " sad"], { raw: true });
  expect([happy, sad]).toEqual([probabilities[" happy"], probabilities[" sad"]]);
});

test("each label sees the prompt's whole window, in a ring that rolls", async () => {
  const window = 16;
  const small = await loadModel(undefined, { device, window, chunkLength: 8, contextLength: 200 });
  try {
    const text = "Once upon a time, there was a little girl. She found a dog in the big park. The dog was";
    const labels = [" very happy to see her again", " sad", " very hungry and very cold"];
    const { probabilities, promptTokens } = await small.classify(text, labels, { raw: true });
    // The labels have overwritten the oldest slots: a shorter prompt cannot reuse them.
    const shorter = (await small.encode(text)).slice(0, -7);
    const [reused, logProbs] = [await small.logits(shorter), (await small.score([...shorter, 300])).logProbs];
    const sum = reused.reduce((total, logit) => total + Math.exp(logit), 0);
    expect(reused[300]! - Math.log(sum)).toBeCloseTo(logProbs.at(-1)!, 3);
    expect(promptTokens).toBeGreaterThan(small.plan.cacheSlots - 8);
    const scores = await Promise.all(
      labels.map(async (label) => {
        const { logProbs } = await small.score(text + label);
        return logProbs.slice(promptTokens - 1).reduce((a, b) => a + b, 0);
      }),
    );
    const [first, , third] = labels.map((label) => Math.log(probabilities[label]!));
    expect(first! - third!).toBeCloseTo(scores[0]! - scores[2]!, 3);
    await expect(
      small.classify(text, ["yes", "no dog was here on that day, she said"], { raw: true }),
    ).rejects.toMatchObject({ parameter: "labels[1]" });
  } finally {
    small.dispose();
  }
});

test("a label that another begins with counts only where the answer ends", async () => {
  const text = "She found a little dog";
  const labels = [" house", " house in the"];
  const [eos] = model.config.eosTokenIds;
  const lists = await Promise.all(labels.map(async (label) => [...(await model.encode(text + label)), eos!]));
  const { probabilities, promptTokens } = await model.classify(text, labels, { raw: true });
  const wanted = await expected(lists, promptTokens, false);
  labels.forEach((label, i) => {
    expect(probabilities[label]).toBeCloseTo(wanted[i]!, 4);
  });
});

test("an answer beside it goes on, and is the same", async () => {
  const tell = async () => {
    let answer = "";
    for await (const { text } of model.generate("Once upon a time", { temperature: 0, maxTokens: 30 }))
      answer += text;
    return answer;
  };
  const alone = await tell();
  const labels = [" was very happy", " was very sad"];
  const [beside] = await Promise.all([tell(), model.classify("The little girl", labels, { raw: true })]);
  expect(beside).toBe(alone);
  // The prompt stays in its ring, without the labels.
  const { cachedTokens, promptTokens } = await model.classify("The little girl", labels, { raw: true });
  expect(cachedTokens).toBe(promptTokens - 1);
});

test("what cannot be compared is refused before anything is computed", async () => {
  prefilled.length = 0;
  const refused = (labels: unknown, parameter: string, options = {}, text: unknown = "A dog") =>
    expect(model.classify(text as string, labels as string[], options)).rejects.toMatchObject({ parameter });
  await refused("good", "labels");
  await refused(["good"], "labels");
  await refused(
    Array.from({ length: 65 }, (_, i) => `label ${i}`),
    "labels",
  );
  await refused(["good", 3], "labels[1]");
  await refused(["good", " "], "labels[1]");
  await refused(["good", "bad", "good"], "labels[2]");
  await refused(["good", "dog ".repeat(70)], "labels[1]");
  await refused(["good", "bad"], "prompt", { prompt: "Is it good or bad?" });
  await refused(["good", "bad"], "raw", { raw: true }, [{ role: "user", content: "A dog" }]);
  await refused(["good", "bad"], "text", {}, 3);
  await refused(["good", "bad"], "normalise", { normalise: true });
  await expect(model.classify("dog ".repeat(600), ["good", "bad"])).rejects.toThrow(ContextLengthError);
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(model.classify("A dog", ["good", "bad"], { signal })).rejects.toThrow("enough");
  expect(prefilled).toEqual([]);
});

test("moderate scores three categories, of prompts and of answers", async () => {
  const verdict = await model.moderate("How do I bake bread?");
  const { scores, categories, flagged } = verdict;
  const sum = Object.values(scores).reduce((a, b) => a + b);
  expect(sum).toBeGreaterThan(0);
  expect(sum).toBeLessThan(1);
  expect(flagged).toBe(sum > 0.5);
  expect(Object.values(categories).filter(Boolean)).toHaveLength(flagged ? 1 : 0);
  // What is the same for all texts stays in the cache.
  const other = await model.moderate("Why is the sky blue?");
  expect(other.cachedTokens).toBeGreaterThan(other.promptTokens / 2);
  expect((await model.moderate("How do I bake bread?", { kind: "answer" })).scores).not.toEqual(scores);
  // Longer than the context: in parts.
  const long = await model.moderate("The dog was happy. ".repeat(95));
  expect(long.promptTokens).toBeGreaterThan(512);
  await expect(model.moderate(3 as never)).rejects.toMatchObject({ parameter: "text" });
  await expect(model.moderate("x", { kind: "text" as never })).rejects.toMatchObject({ parameter: "kind" });
});

test("with an adapter, apart from what is computed without", async () => {
  const text = "Once upon a time, there was a little boy. He found a cat. The cat was";
  const labels = [" very happy", " sad", " a cat", " big"];
  const { D } = model.config;
  const tensor = "base_model.model.model.layers.0.self_attn.o_proj.lora";
  await model.addAdapter(
    "waves",
    adapterSource({ r: 1, target_modules: ["o_proj"] }, [
      floats(`${tensor}_A.weight`, [1, D], (i) => Math.sin(i)),
      floats(`${tensor}_B.weight`, [D, 1], (i) => Math.cos(3 * i) / 9),
    ]),
  );
  const plain = await model.classify(text, labels, { raw: true });
  const adapted = await model.classify(text, labels, { raw: true, adapter: "waves" });
  expect([plain.cachedTokens, adapted.cachedTokens]).toEqual([0, 0]);
  const lists = await Promise.all(labels.map((label) => model.encode(text + label)));
  const shared = sharedBy(lists);
  for (const [result, options] of [
    [plain, {}],
    [adapted, { adapter: "waves" }],
  ] as const) {
    const probabilities = await expected(lists, shared, false, options);
    for (const [i, label] of labels.entries())
      expect(result.probabilities[label]).toBeCloseTo(probabilities[i]!, 3);
  }
  expect(adapted.probabilities[" sad"]).not.toBeCloseTo(plain.probabilities[" sad"]!, 2);
  await expect(model.classify(text, labels, { adapter: "none" })).rejects.toMatchObject({
    parameter: "adapter",
  });
  await model.removeAdapter("waves");
});
