// Figures of evaluations, against values computed by hand.
import { describe, expect, test } from "vitest";
import { compareLogits, compareModels, summarise } from "../../eval/divergence.ts";
import { accuracies, judge, type Scorer, scoreChoices } from "../../eval/multiple-choice.ts";
import { scoreWindows, tokenPerplexity, unitPerplexities, windows } from "../../eval/perplexity.ts";
import type { Question } from "../../eval/question.ts";
import { mean, standardError } from "../../eval/statistics.ts";

const { signal } = new AbortController();

test("mean and standard error", () => {
  expect(mean([1, 0, 1, 1])).toBe(0.75);
  // √(0.75 · 0.25 / 3): p(1 − p) / (n − 1) for hits and misses.
  expect(standardError([1, 0, 1, 1])).toBeCloseTo(0.25, 12);
  expect(standardError([5])).toBeNaN();
  expect(() => mean([])).toThrow(RangeError);
});

const asked = (texts: readonly string[], answer = 0): Question => ({
  choices: texts.map((text) => ({ context: "Q:", continuation: ` ${text}`, text })),
  answer,
});

describe("multiple choice", () => {
  test("the sum, and the sum over characters and over bytes", () => {
    // Over characters: −1, −0.9, −1.5. Over bytes, of which the first has four: −0.5, −0.9, −1.5.
    const question = asked(["éé", "abcdefghij", "ab"]);
    expect(judge(question, [-2, -9, -3])).toEqual({ acc: true, accNorm: false, accBytes: true });
    // Characters beyond the first plane count once, as in Python: −1.1 and −1.
    expect(judge(asked(["😀😀", "abc"]), [-2.2, -3])).toMatchObject({ acc: true, accNorm: false });
    // Of equals the first counts, as numpy's argmax.
    expect(judge(asked(["a", "b"], 1), [-1, -1]).acc).toBe(false);
  });

  test("accuracies with their standard errors", () => {
    const hit = { acc: true, accNorm: true, accBytes: false };
    const { acc, accNorm, accBytes } = accuracies([hit, { ...hit, acc: false }, hit, hit]);
    expect(acc.value).toBe(0.75);
    expect(acc.error).toBeCloseTo(0.25, 12);
    expect([accNorm, accBytes].map(({ value, error }) => [value, error])).toEqual([
      [1, 0],
      [0, 0],
    ]);
    expect(accuracies([hit]).acc.error).toBeNull();
  });

  /** A token a character behind a first one, with a log-probability of its code over −100. */
  function scorer(contextLength = 1000) {
    const calls: { ids: readonly number[]; from: number }[] = [];
    const model = {
      contextLength,
      encode: async (text: string) => [1, ...[...text].map((c) => c.charCodeAt(0))],
      score: async (ids: readonly number[], { from = 1 } = {}) => {
        calls.push({ ids, from });
        return { logProbs: Float32Array.from(ids.slice(from), (id) => -id / 100), perplexity: 1 };
      },
    } as unknown as Scorer;
    return { model, calls };
  }

  test("examples come before the question, and only the answer is scored", async () => {
    const { model, calls } = scorer();
    const question = { ...asked(["a", "bc"]), lead: "L\n" };
    const sums = await scoreChoices(model, question, { examples: [asked(["x", "y"], 1)], signal });
    // A blank is 32, a is 97.
    expect(sums[0]).toBeCloseTo(-(32 + 97) / 100, 5);
    expect(sums[1]).toBeCloseTo(-(32 + 98 + 99) / 100, 5);
    expect(String.fromCharCode(...calls[0]!.ids.slice(1))).toBe("L\nQ: y\n\nQ: a");
    expect(calls[0]!.from).toBe(1 + "L\nQ: y\n\nQ:".length);
  });

  test("blanks at the end of a context are scored; a text too long loses its beginning", async () => {
    const spaced = { choices: [{ context: "Q: ", continuation: "a", text: "a" }], answer: 0 };
    const [sum] = await scoreChoices(scorer().model, spaced, { examples: [], signal });
    expect(sum).toBeCloseTo(-(32 + 97) / 100, 5);
    const small = scorer(4);
    await scoreChoices(small.model, asked(["ab"]), { examples: [], signal });
    // ": ab" is left.
    expect(small.calls[0]).toEqual({ ids: [58, 32, 97, 98], from: 1 });
    const tiny = scorer(2);
    await scoreChoices(tiny.model, asked(["ab"]), { examples: [], signal });
    expect(tiny.calls[0]).toEqual({ ids: [97, 98], from: 1 });
  });
});

describe("perplexity by windows", () => {
  test.each([
    [11, 4, 1],
    [12, 4, 1],
    [5, 4, 1],
    [2, 4, 1],
    [30, 7, 3],
    [30, 7, 7],
    [9, 8, 8],
  ])(
    "%d ids, %d at once, %d shared: each is scored once, and all windows but the first are full",
    (...sizes) => {
      const [count, maxLength, context] = sizes;
      const all = [...windows(count, maxLength, context)];
      const scored = all.flatMap(({ start, end, from }) =>
        Array.from({ length: end - start - from }, (_, i) => start + from + i),
      );
      expect(scored).toEqual(Array.from({ length: count - 1 }, (_, i) => i + 1));
      for (const { start, end, from } of all.slice(1)) {
        expect(end - start).toBe(maxLength + 1);
        expect(from).toBeGreaterThanOrEqual(context);
      }
    },
  );

  test("the last window has more context", () => {
    expect([...windows(11, 4)]).toEqual([
      { start: 0, end: 5, from: 1 },
      { start: 4, end: 9, from: 1 },
      { start: 6, end: 11, from: 3 },
    ]);
    expect([...windows(1, 4)]).toEqual([]);
  });

  test("by tokens, words and bytes", () => {
    const logProbs = [-1, -2, -3];
    expect(tokenPerplexity(logProbs).value).toBeCloseTo(Math.exp(2), 10);
    expect(tokenPerplexity(logProbs).error).toBeCloseTo(Math.exp(2) / Math.sqrt(3), 10);
    expect(tokenPerplexity([-1]).error).toBeNull();
    // Two words, seven bytes.
    const { word, byte, bitsPerByte } = unitPerplexities("éa\nabc", logProbs);
    expect(word).toBeCloseTo(Math.exp(3), 10);
    expect(byte).toBeCloseTo(Math.exp(6 / 7), 10);
    expect(bitsPerByte).toBeCloseTo(6 / 7 / Math.LN2, 10);
    // The end of the text counts as a word, as Python's re.split has it.
    expect(unitPerplexities("a b\n", logProbs).word).toBeCloseTo(Math.exp(2), 10);
  });

  test("Ctrl-C keeps the windows that are done", async () => {
    const controller = new AbortController();
    let calls = 0;
    const score = async (ids: readonly number[], { from = 1 } = {}) => {
      if (++calls === 2) controller.abort();
      controller.signal.throwIfAborted();
      return { logProbs: new Float32Array(ids.length - from).fill(-1), perplexity: 1 };
    };
    const ids = Array.from({ length: 20 }, (_, i) => i);
    const options = { maxLength: 8, context: 1, signal: controller.signal };
    const done = await scoreWindows({ score } as never, ids, options);
    expect(done).toEqual({ logProbs: Array(8).fill(-1), isWhole: false });
  });
});

describe("divergence", () => {
  test("of two distributions", () => {
    // p = (1/2, 1/2), q = (3/4, 1/4); logits may have any offset.
    const found = compareLogits(Float32Array.of(5, 5), Float32Array.of(Math.log(3), 0), 1);
    expect(found.kl).toBeCloseTo(0.5 * Math.log(0.5 / 0.75) + 0.5 * Math.log(0.5 / 0.25), 6);
    expect(found.sameTop).toBe(true);
    expect(found.reference).toBeCloseTo(Math.log(0.5), 6);
    expect(found.logProb).toBeCloseTo(Math.log(0.25), 6);
  });

  test("of equal ones it is 0; tokens that the reference excludes do not count", () => {
    const logits = Float32Array.of(1, -2, 3, 100);
    expect(compareLogits(logits, logits, 0).kl).toBe(0);
    const excluded = compareLogits(Float32Array.of(0, -Infinity), Float32Array.of(0, 0), 0);
    expect(excluded.kl).toBeCloseTo(Math.log(2), 6);
    expect(compareLogits(Float32Array.of(0, 1), Float32Array.of(1, 0), 0).sameTop).toBe(false);
  });

  test("summary: the model is worse where it gives less to what comes", () => {
    const rows = [0.1, 0.2, 0.3].map((kl, i) => ({ kl, sameTop: i > 0, reference: -1, logProb: -1 - kl }));
    const found = summarise(rows);
    expect(found).toMatchObject({ tokens: 3, klP99: 0.3 });
    expect(found.topAgreement).toBeCloseTo(2 / 3, 10);
    expect(found.klMean).toBeCloseTo(0.2, 10);
    expect(found.klMeanError).toBeCloseTo(0.1 / Math.sqrt(3), 10);
    expect(found.perplexityRatio).toBeCloseTo(Math.exp(0.2), 10);
    expect(found.referencePerplexity).toBeCloseTo(Math.E, 10);
  });

  test("both models read the same tokens before each that is compared", async () => {
    const read: string[] = [];
    const logits = (name: string) => async (ids: readonly number[]) => {
      read.push(`${name} ${ids.join(" ")}`);
      return Float32Array.of(0, 1, 2);
    };
    const options = { maxLength: 2, context: 1, signal };
    const found = await compareModels(logits("r"), logits("m"), [0, 1, 2, 0, 1], options);
    expect(read).toEqual(["r 0", "m 0", "r 0 1", "m 0 1", "r 2", "m 2", "r 2 0", "m 2 0"]);
    expect(found.map(({ kl }) => kl)).toEqual([0, 0, 0, 0]);
  });
});
