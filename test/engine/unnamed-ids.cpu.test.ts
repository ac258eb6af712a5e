// Logits may be padded past the tokenizer's vocabulary: an id without a name has no text and does
// not end an answer.
import { expect, test } from "vitest";
import { generate } from "../../engine/answer/generate.ts";
import { LoadedModel, type ModelParts } from "../../engine/model.ts";
import type { Scheduler } from "../../engine/scheduler/scheduler.ts";
import type { Sequence } from "../../engine/scheduler/sequence.ts";
import { openTiny } from "../tokenizer/fixtures.ts";

test("an answer continues past ids that the vocabulary does not name", async () => {
  const tokenizer = openTiny();
  const prompt = tokenizer.encode("Once");
  const words = tokenizer.encode("Once upon a time").slice(prompt.length);
  expect(words.length).toBeGreaterThan(1);
  const answer = [words[0]!, tokenizer.size, ...words.slice(1), 1_000_000];
  let next = 0;
  const sequence = { next: async () => ({ id: answer[next++]! }) };
  const scheduler: Pick<Scheduler, "join" | "leave"> = {
    join: async () => sequence as Sequence,
    leave: async () => {},
  };
  const generation = {
    scheduler,
    contextLength: 100,
    ids: prompt,
    text: tokenizer.stream({ continues: true }),
    endIds: new Set<number>(),
  };
  const ids: number[] = [];
  let text = "";
  for await (const chunk of generate(generation, { maxTokens: answer.length })) {
    ids.push(...chunk.ids);
    text += chunk.text;
  }
  expect(ids).toEqual(answer);
  expect(text).toBe(" upon a time");
});

test("decode skips them too, and refuses ids out of the model's range by name", async () => {
  const tokenizer = openTiny();
  const V = tokenizer.size + 100;
  const model = new LoadedModel({
    checkpoint: { config: { V, eosTokenIds: [2], W: null }, source: { name: "test" } },
    tokenizer,
    recovery: { last: { plan: { contextLength: 100 } }, check: () => {} },
  } as unknown as ModelParts);
  const ids = tokenizer.encode("Once upon");
  expect(await model.decode([...ids, V - 1])).toBe("Once upon");
  for (const wrong of [V, -1, 0.5])
    await expect(model.decode([...ids, wrong])).rejects.toMatchObject({ parameter: "ids" });
});
