// Ranks and likeliest tokens of `score`, against the logits of each position.
import { afterAll, beforeAll, expect, test } from "vitest";
import { logSumExp } from "../../engine/answer/log-probs.ts";
import { loadModel, type Model } from "../../engine/node.ts";

const TEXT =
  "Once upon a time, there was a little girl named Lily. She loved zebras, 7 € and the quantum sun. The end.";

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.dispose());

test("the likeliest tokens and the rank of each are those of the logits", async () => {
  const ids = await model.encode(TEXT);
  expect(ids.length).toBeGreaterThan(33); // More than one chunk.
  const { logProbs, ranks, top = [] } = await model.score(ids, { topLogProbs: 5 });
  expect([logProbs.length, ranks.length, top.length]).toEqual(Array(3).fill(ids.length - 1));
  for (const [i, likely] of top.entries()) {
    const [id, own, rank] = [ids[i + 1]!, logProbs[i]!, ranks[i]!];
    const logits = await model.logits(ids.slice(0, i + 1));
    const sum = logSumExp(logits);
    expect(own).toBeCloseTo(logits[id]! - sum, 3);
    const sorted = logits.toSorted((a, b) => b - a);
    for (const [k, { id: each, logProb, text }] of likely.entries()) {
      expect(logProb).toBeCloseTo(logits[each]! - sum, 3);
      expect(logProb).toBeCloseTo(sorted[k]! - sum, 3);
      if (!text.includes("\ufffd")) expect(text.trim()).toBe(await spelled(each));
    }
    expect(new Set(likely.map((each) => each.id)).size).toBe(5);
    // A decode step rounds differently than a prefill.
    expect(sorted[rank - 1]).toBeCloseTo(logits[id]!, 2);
    // To the bit.
    if (rank <= 5) expect(likely[rank - 1]).toMatchObject({ id, logProb: own });
    else expect(likely.map((each) => each.id)).not.toContain(id);
  }
  const found = new Set(ranks);
  expect([found.has(1), found.has(2), Math.max(...found) > 100]).toEqual([true, true, true]);
});

const spelled = async (id: number) =>
  (await model.decode([id])).trim() || { 0: "<unk>", 1: "<s>", 2: "</s>" }[id] || "";

test("likeliest tokens are only in the result if they are asked for, and change nothing else", async () => {
  const plain = await model.score(TEXT);
  expect(plain.top).toBeUndefined();
  for (const topLogProbs of [0, 2]) {
    const { top, ...rest } = await model.score(TEXT, { topLogProbs });
    expect(rest).toEqual(plain);
    expect(top?.map((each) => each.length)).toEqual(Array(plain.ranks.length).fill(topLogProbs));
  }
  await expect(model.score(TEXT, { topLogProbs: 6 })).rejects.toThrow(/topLogProbs: .* 0 to 5, got 6/);
});

test("the greedy answer has rank 1 and the log-probability of the likeliest token", async () => {
  const prompt = await model.encode("Once upon a time");
  const ids = [...prompt];
  const options = { temperature: 0, maxTokens: 40, ignoreEos: true };
  for await (const chunk of model.generate(prompt, options)) ids.push(...chunk.ids);
  const { logProbs, ranks, top = [] } = await model.score(ids, { topLogProbs: 1 });
  const first = prompt.length - 1;
  expect([...ranks.subarray(first)]).toEqual(Array(40).fill(1));
  expect(top.slice(first).map(([each]) => each?.logProb)).toEqual([...logProbs.subarray(first)]);
});
