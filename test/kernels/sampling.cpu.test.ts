// The rules of sampling and its integer arithmetic, on distributions by hand, in the plain TypeScript that
// sample.test.ts and contract.test.ts compare the GPU with.
import { expect, test } from "vitest";
import { maskWords, padded, type SamplingSettings, sample, samplingParams } from "../../kernels/index.ts";
import { log2Exponential, log2Odd, mass, OCTAVE, philox } from "../../kernels/sampling-arithmetic.ts";
import { randomU32 } from "../random.ts";

/** Draws at positions 1 … `draws` from the same logits. `seen` is the row of counts. */
function tokens(
  logits: readonly number[],
  settings: SamplingSettings,
  draws = 300,
  seen: readonly number[] = [],
  seed = 7,
  allowed?: readonly number[],
) {
  const V = logits.length;
  const mask = new Uint32Array(maskWords(V));
  for (const id of allowed ?? []) mask[id >>> 5]! |= 1 << (id % 32);
  const bias = Float32Array.from(logits, (_, i) => settings.logitBias?.[i] ?? 0);
  const ids: number[] = [];
  for (let position = 0; position < draws; position++) {
    const rows = Uint32Array.of(0, position, 0, 0);
    const x = new Float32Array(padded(V));
    x.set(logits);
    sample.reference(
      { T: 1, B: 1, V },
      x,
      Uint32Array.from(logits, (_, i) => seen[i] ?? 0),
      bias,
      samplingParams(settings, seed, allowed !== undefined),
      rows,
      mask,
    );
    expect(rows[1]).toBe(position + 1);
    ids.push(rows[0]!);
  }
  return ids;
}

const set = (ids: readonly number[]) => [...new Set(ids)].sort((a, b) => a - b);
const log = (...probabilities: number[]) => probabilities.map(Math.log);
const PROMPT = 0x80000000;

test("greedy takes the largest, of equal ones the lowest id", () => {
  expect(tokens([1, 3, 3, 2], {}, 1)).toEqual([1]);
  expect(tokens([-5, -3, -4], {}, 1)).toEqual([1]);
  expect(tokens([-0, 0], {}, 1)).toEqual([0]);
});

test("top-k keeps k tokens and what equals the last", () => {
  expect(set(tokens(log(0.1, 0.4, 0.2, 0.3), { temperature: 1, topK: 2 }))).toEqual([1, 3]);
  expect(set(tokens([1, 2, 2, 2.5, 0], { temperature: 1, topK: 2 }))).toEqual([1, 2, 3]);
  expect(set(tokens([1, 2, 3], { temperature: 1, topK: 1 }))).toEqual([2]);
  expect(set(tokens([1, 1, 1], { temperature: 1, topK: 99 }))).toEqual([0, 1, 2]);
});

test("top-p keeps the smallest set that reaches p, and what equals its last", () => {
  const p = log(0.15, 0.5, 0.05, 0.3);
  expect(set(tokens(p, { temperature: 1, topP: 0 }))).toEqual([1]);
  expect(set(tokens(p, { temperature: 1, topP: 0.49 }))).toEqual([1]);
  expect(set(tokens(p, { temperature: 1, topP: 0.51 }))).toEqual([1, 3]);
  expect(set(tokens(p, { temperature: 1, topP: 0.81 }))).toEqual([0, 1, 3]);
  expect(set(tokens(p, { temperature: 1, topP: 1 }))).toEqual([0, 1, 2, 3]);
  expect(set(tokens([0, 0, 0], { temperature: 1, topP: 0.1 }))).toEqual([0, 1, 2]);
});

test("top-p counts after temperature and after top-k", () => {
  // At temperature 1/2 the probabilities are squared: 0.64, 0.16, 0.16, 0.04 of their sum.
  expect(set(tokens(log(0.4, 0.2, 0.2, 0.1), { temperature: 0.5, topP: 0.63 }))).toEqual([0]);
  // Of 0.4 and 0.3 the first is 4/7 = 0.57.
  expect(set(tokens(log(0.4, 0.3, 0.2, 0.1), { temperature: 1, topK: 2, topP: 0.55 }))).toEqual([0]);
  expect(set(tokens(log(0.4, 0.3, 0.2, 0.1), { temperature: 1, topP: 0.55 }))).toEqual([0, 1]);
});

test("min-p keeps tokens that are likely enough compared with the likeliest", () => {
  const p = log(0.5, 0.3, 0.15, 0.05);
  expect(set(tokens(p, { temperature: 1, minP: 0.29 }))).toEqual([0, 1, 2]);
  expect(set(tokens(p, { temperature: 1, minP: 0.31 }))).toEqual([0, 1]);
  expect(set(tokens(p, { temperature: 1, minP: 1 }))).toEqual([0]);
});

test("penalties by hand", () => {
  // Repetition divides 3 by 2 and multiplies -1 by 2, in prompt and answer alike.
  expect(tokens([3, 1.6], { repetitionPenalty: 2 }, 1, [PROMPT, 0])).toEqual([1]);
  expect(tokens([3, 1.4], { repetitionPenalty: 2 }, 1, [1, 0])).toEqual([0]);
  expect(tokens([-1, -1.9], { repetitionPenalty: 2 }, 1, [PROMPT + 1, 0])).toEqual([1]);
  expect(tokens([-1, -2.1], { repetitionPenalty: 2 }, 1, [PROMPT, 0])).toEqual([0]);
  // Frequency: 3 times 0.5 off; presence: once; neither counts the prompt.
  expect(tokens([3, 1.6], { frequencyPenalty: 0.5 }, 1, [3, 0])).toEqual([1]);
  expect(tokens([3, 1.4], { frequencyPenalty: 0.5 }, 1, [3, 0])).toEqual([0]);
  expect(tokens([3, 2.6], { presencePenalty: 0.5 }, 1, [3, 0])).toEqual([1]);
  expect(tokens([3, 2.6], { presencePenalty: 0.5, frequencyPenalty: 1 }, 1, [PROMPT, 0])).toEqual([0]);
  // The bias comes first: (1 + 1) / 2 < 1.5, where 1 / 2 + 1 would not be.
  expect(tokens([1, 1.25], { repetitionPenalty: 2, logitBias: { 0: 1 } }, 1, [PROMPT, 0])).toEqual([1]);
  expect(tokens([9, 1, 2], { logitBias: { 0: -Infinity, 1: 5 } }, 1)).toEqual([1]);
});

test("only tokens of the mask are picked, however unlikely they are", () => {
  const logits = Array.from({ length: 70 }, (_, i) => (i === 3 || i === 64 ? -1000 : 10));
  for (const settings of [
    {},
    { temperature: 1 },
    { temperature: 1e30 },
    { temperature: 1, topK: 2, topP: 0.5 },
  ])
    expect(tokens(logits, settings, 50, [], 7, [3, 64]).every((id) => id === 3 || id === 64)).toBe(true);
  expect(set(tokens(logits, { temperature: 1 }, 50, [], 7, [3, 64]))).toEqual([3, 64]);
  expect(set(tokens([5, NaN, -Infinity], { temperature: 1 }, 20, [], 7, [1, 2]))).toEqual([1]);
  expect(set(tokens([5, 1, 2], { logitBias: { 0: 100 } }, 1, [], 7, [1, 2]))).toEqual([2]);
});

test("NaN and infinities give an id of the vocabulary", () => {
  for (const settings of [{}, { temperature: 1 }, { temperature: 1, topK: 2, topP: 0.9, minP: 0.1 }]) {
    expect(set(tokens([NaN, NaN, NaN], settings, 20))).toEqual([0]);
    expect(set(tokens([-Infinity, -Infinity], settings, 20))).toEqual([0]);
    expect(set(tokens([NaN, -1, -Infinity], settings, 20))).toEqual([1]);
    expect(set(tokens([1, Infinity, 2], settings, 20))).toEqual([1]);
    expect(set(tokens([-Infinity, -3e38, -5], settings, 20))).toEqual([2]);
  }
});

test.each([1, 0.7, 2])("draws follow the softmax at temperature %d", (temperature) => {
  const logits = log(0.3, 0.25, 0.2, 0.1, 0.08, 0.04, 0.02, 0.01);
  const draws = 20000;
  const ids = tokens(logits, { temperature }, draws);
  const weights = logits.map((x) => Math.exp(x / temperature));
  const total = weights.reduce((a, b) => a + b);
  const chiSquare = weights.reduce((sum, weight, i) => {
    const expected = (draws * weight) / total;
    return sum + (ids.filter((id) => id === i).length - expected) ** 2 / expected;
  }, 0);
  expect(chiSquare).toBeLessThan(24.3); // one in a thousand at 7 degrees of freedom
  expect(chiSquare).toBeGreaterThan(0.6); // and as scattered as chance
});

test("seed and position decide the draw", () => {
  const logits = Array.from({ length: 50 }, () => 0);
  const draw = (seed: number) => tokens(logits, { temperature: 1 }, 40, [], seed);
  expect(draw(1)).toEqual(draw(1));
  expect(set(draw(1)).length).toBeGreaterThan(15);
  for (const other of [2, 2 ** 32 + 1]) expect(draw(other)).not.toEqual(draw(1));
});

// From the known-answer file of Random123. The vectors differ in the number of rounds only.
test("philox gives the numbers of its authors", () => {
  expect(philox([0, 0, 0, 0], [0, 0], 10)).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  expect(philox([0, 0, 0, 0], [0, 0])).toEqual([0x5f6fb709, 0x0d893f64, 0x4f121f81, 0x4f730a48]);
});

test("integer exponential and logarithm against float64", () => {
  const random = randomU32(3);
  const some = Array.from({ length: 20000 }, () => random() >>> (random() % 32));
  for (const octaves of [
    0,
    1,
    OCTAVE - 1,
    OCTAVE,
    28 * OCTAVE - 1,
    28 * OCTAVE,
    ...some.map((x) => x >>> 1),
  ]) {
    const exact = (2 ** 28 - 1) * 2 ** (-octaves / OCTAVE);
    if (octaves < 28 * OCTAVE) expect(Math.abs(mass(octaves) - exact)).toBeLessThan(4);
    else expect(mass(octaves)).toBe(0);
  }
  for (const h of [0, 1, 2, 2 ** 26 - 1, 2 ** 26, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1, ...some]) {
    const v = (h + 0.5) / 2 ** 32;
    expect(Math.abs(log2Odd(h) / OCTAVE - Math.log2(2 * h + 1))).toBeLessThan(2 ** -24);
    expect(Math.abs(log2Exponential(h) / OCTAVE - 33 - Math.log2(-Math.log1p(-v)))).toBeLessThan(2 ** -17);
    // The race skips tokens by this bound.
    expect(log2Exponential(h)).toBeGreaterThanOrEqual((32 - Math.clz32(h)) * OCTAVE);
  }
});

test("parameters are packed as documented", () => {
  const settings = {
    temperature: 0.5,
    topK: 3,
    topP: 0.25,
    minP: 0.25,
    repetitionPenalty: 2,
    presencePenalty: -1,
  };
  const words = samplingParams({ ...settings, frequencyPenalty: 0.1, logitBias: { 5: 1 } }, 2 ** 33 + 9);
  const floats = new Float32Array(words.buffer);
  expect(floats[0]).toBe(Math.fround(2 * OCTAVE * Math.LOG2E));
  expect([...words.subarray(1, 4)]).toEqual([3, 2 ** 30, 2 * OCTAVE]);
  expect([floats[4], floats[5], floats[7]]).toEqual([0.5, 2, -1]);
  expect(floats[6]).toBeCloseTo(0.1, 4);
  for (const times of [3, 1001, 4095]) expect(Math.fround(times * floats[6]!)).toBe(times * floats[6]!);
  expect([...words.subarray(8)]).toEqual([9, 2, 3, 0]);
  expect(samplingParams({}, 0)[10]).toBe(0);
});

test.each([
  [{ temperature: -1 }, "temperature: expected a number >= 0, got -1."],
  [{ temperature: NaN }, "temperature: expected a number >= 0, got NaN."],
  [{ topK: 1.5 }, "topK: expected a whole number >= 0, got 1.5."],
  [{ topP: 1.01 }, "topP: expected a number from 0 to 1, got 1.01."],
  [{ minP: -0.1 }, "minP: expected a number from 0 to 1, got -0.1."],
  [{ repetitionPenalty: 0 }, "repetitionPenalty: expected a number from 0.001 to 1000, got 0."],
  [{ frequencyPenalty: Infinity }, "frequencyPenalty: expected a number from -1000 to 1000, got Infinity."],
])("%o is refused", (settings, message) => {
  expect(() => samplingParams(settings, 0)).toThrow(
    Object.assign(new RangeError(message), { parameter: message.split(":")[0], code: "out-of-range" }),
  );
});

test.each([-1, 0.5, NaN, 2 ** 53])("seed %d is refused", (seed) => {
  expect(() => samplingParams({}, seed)).toThrow(RangeError);
});
