// The sampling kernel on the GPU against its reference, token for token, on cases that random tensors do not
// cover.
import { expect, test } from "vitest";
import {
  type Buffer,
  maskWords,
  padded,
  SAMPLING_WORDS,
  type SamplingSettings,
  sample,
  samplingParams,
} from "../../kernels/index.ts";
import { openTestDevice } from "../helpers.ts";
import { randomU32 } from "../random.ts";
import { runKernel } from "./run-kernel.ts";

const V = 301; // one size: a driver compiles this shader once
const B = 2000;
const device = await openTestDevice();

/**
 * Runs one step of B rows on the GPU and in TypeScript, and compares tokens, counts and positions. Row b is
 * of sequence B - 1 - b.
 * @returns the tokens
 */
async function step(
  rowLogits: (b: number) => number[],
  settings: (b: number) => SamplingSettings,
  seed = 1,
  masked = (_b: number) => false,
) {
  const random = randomU32(seed);
  const logits = new Float32Array(B * padded(V)).fill(NaN);
  for (let b = 0; b < B; b++) {
    const row = rowLogits(b);
    for (let i = 0; i < V; i++) logits[b * padded(V) + i] = row[i] ?? -Infinity;
  }
  const counts = Uint32Array.from({ length: B * V }, () =>
    random() % 8 ? 0 : (random() & 0x80000003) >>> 0,
  );
  const bias = Float32Array.from({ length: B * V }, (_, i) =>
    (i % V) % 50 === 49 ? -Infinity : Math.fround(random() / 2 ** 32),
  );
  const rows = Uint32Array.from({ length: B * 4 }, (_, i) => [0, i >> 2, B - 1 - (i >> 2), 0][i % 4]!);
  const params = new Uint32Array(B * SAMPLING_WORDS);
  for (let b = 0; b < B; b++)
    params.set(samplingParams(settings(b), seed, masked(b)), (B - 1 - b) * SAMPLING_WORDS);
  const mask = Uint32Array.from(
    { length: B * maskWords(V) },
    (_, i) => random() | Number(i % maskWords(V) === 0),
  );

  const host: Buffer[] = [logits, counts, bias, params, rows, mask];
  const results = await runKernel(device, sample, { T: B, B, V }, host);
  sample.reference({ T: B, B, V }, ...host);
  const gpuRows = new Uint32Array(results[4]!);
  const gpuCounts = new Uint32Array(results[1]!);
  // Deep equality of long arrays takes vitest minutes.
  expect(
    rows.findIndex((x, i) => x !== gpuRows[i]),
    "first row word that differs",
  ).toBe(-1);
  expect(
    counts.findIndex((x, i) => x !== gpuCounts[i]),
    "first count that differs",
  ).toBe(-1);
  return Array.from({ length: B }, (_, b) => gpuRows[4 * b]!);
}

const pick = <T>(random: () => number, ...choices: T[]): T => choices[random() % choices.length]!;

test("random logits and options agree with the reference", async () => {
  const random = randomU32(11);
  const settings = Array.from({ length: B }, () => ({
    temperature: pick(random, 0, 0.01, 0.7, 1, 1.3, 50, 1e30),
    topK: pick(random, 0, 0, 1, 2, 17, 300, 301, 5000),
    topP: pick(random, 1, 1, 0, 0.05, 0.5, 0.9, 0.999999),
    minP: pick(random, 0, 0, 0.001, 0.2, 1),
    repetitionPenalty: pick(random, 1, 1.3, 0.8),
    frequencyPenalty: pick(random, 0, 0.37, -0.1),
    presencePenalty: pick(random, 0, 1.1),
    logitBias: pick<Record<number, number>>(random, {}, { 0: 1 }),
  }));
  const row = (b: number) => {
    const scale = [1e-6, 1, 8, 30, 1e4][b % 5]!;
    const steps = [4, 2 ** 8, 2 ** 32][b % 3]!; // few distinct values: many ties
    const special = pick(random, 0, 0, 1e9);
    return Array.from({ length: V }, () =>
      special && random() % 9 === 0
        ? pick(random, NaN, Infinity, -Infinity, 3e38, -0, 1e-40, -3.4e38)
        : ((random() % steps) / steps - 0.5) * scale,
    );
  };
  const ids = await step(
    row,
    (b) => settings[b]!,
    99,
    (b) => b % 3 === 0,
  );
  for (const id of ids) expect(id).toBeLessThan(V);
});

test("the sets that top-k, top-p and min-p keep", async () => {
  const cases: [number[], SamplingSettings, number[]][] = [
    [[0.1, 0.4, 0.2, 0.3], { topK: 2 }, [1, 3]],
    [[0.2, 0.2, 0.4, 0.2], { topK: 2 }, [0, 1, 2, 3]],
    [[0.15, 0.5, 0.05, 0.3], { topP: 0.51 }, [1, 3]],
    [[0.15, 0.5, 0.05, 0.3], { topP: 0.81 }, [0, 1, 3]],
    [[0.4, 0.3, 0.2, 0.1], { topK: 2, topP: 0.55 }, [0]],
    [[0.5, 0.3, 0.15, 0.05], { minP: 0.29 }, [0, 1, 2]],
  ];
  const at = (b: number) => cases[b % cases.length]!;
  const ids = await step(
    (b) => at(b)[0].map(Math.log),
    (b) => ({ temperature: 1, ...at(b)[1] }),
    5,
  );
  for (const [n, [, , kept]] of cases.entries()) {
    const seen = new Set(ids.filter((_, b) => b % cases.length === n));
    expect([...seen].sort((a, b) => a - b)).toEqual(kept);
  }
});

test("draws follow the softmax", async () => {
  const p = [0.3, 0.25, 0.2, 0.15, 0.07, 0.03];
  const ids = await step(
    () => p.map(Math.log),
    () => ({ temperature: 1 }),
    8,
  );
  const chiSquare = p.reduce(
    (sum, x, i) => sum + (ids.filter((id) => id === i).length - x * B) ** 2 / (x * B),
    0,
  );
  expect(chiSquare).toBeLessThan(20.6); // one in a thousand at 5 degrees of freedom
});
