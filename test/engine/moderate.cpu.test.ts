// How a choice of the model becomes a verdict.
import { expect, test } from "vitest";
import { ContextLengthError } from "../../engine/errors.ts";
import { moderate } from "../../engine/guard/moderate.ts";
import type { Model } from "../../engine/node.ts";

/** Gives the labels of the prompt these probabilities, in order: three categories, then acceptable. */
const judging = (probabilitiesOf: (text: string) => readonly number[]): Pick<Model, "classify"> => ({
  classify: async (text, labels) => {
    const given = probabilitiesOf(text as string);
    const probabilities = Object.fromEntries(labels.map((label, i) => [label, given[i]])) as never;
    return { label: labels[0]!, probabilities, promptTokens: 7, cachedTokens: 3 };
  },
});

test.each([
  [[0.1, 0.2, 0.1, 0.6], undefined],
  [[0.1, 0.1, 0.1, 0.7], undefined],
  // Acceptable is the likeliest, and yet unlikelier than not.
  [[0.2, 0.3, 0.1, 0.4], "hateful_or_violent_content"],
  [[0.9, 0.05, 0.03, 0.02], "illegal_activities"],
  [[0.1, 0.1, 0.7, 0.1], "unqualified_advice"],
])("%j is %s", async (given, category) => {
  const { flagged, categories, scores, promptTokens } = await moderate(
    judging(() => given),
    "x",
    {},
  );
  expect(flagged).toBe(category !== undefined);
  expect(Object.entries(categories).filter(([, value]) => value)).toEqual(category ? [[category, true]] : []);
  expect(Object.values(scores)).toEqual(given.slice(0, 3));
  expect(promptTokens).toBe(7);
});

test("every part is judged with the adapter", async () => {
  const asked: unknown[] = [];
  const model = judging((text) => {
    if (text.length > 100) throw new ContextLengthError("too long");
    return [0.1, 0.1, 0.1, 0.7];
  });
  const classify: typeof model.classify = (text, labels, options) => {
    asked.push(options?.adapter);
    return model.classify(text, labels, options);
  };
  await moderate({ classify }, "a".repeat(150), { adapter: ["guard"] });
  expect(asked).toEqual([["guard"], ["guard"], ["guard"]]);
});

test("the worst part of a long text counts", async () => {
  const seen: string[] = [];
  const model = judging((text) => {
    if (text.length > 100) throw new ContextLengthError("too long");
    seen.push(text);
    return text.includes("bomb") ? [0.8, 0.1, 0, 0.1] : [0.1, 0, 0.2, 0.7];
  });
  const text = `${"a".repeat(250)}bomb${"b".repeat(100)}`;
  const verdict = await moderate(model, text, {});
  expect(seen.join("")).toBe(text);
  expect(verdict).toMatchObject({
    flagged: true,
    categories: { illegal_activities: true, unqualified_advice: false },
    scores: { illegal_activities: 0.8, hateful_or_violent_content: 0.1, unqualified_advice: 0.2 },
    promptTokens: 7 * seen.length,
  });
  // The prompt itself does not fit.
  const tiny = judging(() => {
    throw new ContextLengthError("too long");
  });
  await expect(moderate(tiny, text, {})).rejects.toThrow("too long");
});
