// Logits may be padded past the tokenizer's vocabulary: an id that nothing names has no text, and ends nothing.
import { expect, test } from "vitest";
import { Cache } from "../../engine/cache.ts";
import { generate } from "../../engine/generate.ts";
import type { Resident } from "../../engine/resident.ts";
import { openTiny } from "../tokenizer/fixtures.ts";

test("an answer goes on past ids that the vocabulary does not name", async () => {
  const tokenizer = openTiny();
  const prompt = tokenizer.encode("Once");
  const words = tokenizer.encode("Once upon a time").slice(prompt.length);
  expect(words.length).toBeGreaterThan(1);
  const answer = [words[0]!, tokenizer.size, ...words.slice(1), 1_000_000];
  let next = 0;
  const token = async () => answer[next++]!;
  const decoder = {
    configure() {},
    async prefill() {},
    first: token,
    step: token,
  };
  const generation = {
    residence: {
      run: <T>(use: (resident: Resident) => Promise<T>) => use({ decoder } as unknown as Resident),
    },
    cache: new Cache({ W: null }, 100),
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
