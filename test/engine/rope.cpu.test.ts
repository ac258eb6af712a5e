// RoPE's frequencies against numbers derived by hand, and the angles that the shader adds up against float64.
import { describe, expect, test } from "vitest";
import { ropeAngles } from "../../engine/graph/rope-frequencies.ts";
import { ANGLE_ROWS, angleTable, MAX_POSITION } from "../../kernels/rope.ts";

const ropeFrequencies = async (config: Parameters<typeof ropeAngles>[0]) =>
  (await ropeAngles(config)).frequencies;

const close = (actual: readonly number[], expected: readonly number[]) => {
  expect(actual.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(actual[i]! / value).toBeCloseTo(1, 12);
};

describe("frequencies", () => {
  test("plain: theta^(-2i/d)", async () => {
    close(await ropeFrequencies({ d: 8, ropeTheta: 1e4, ropeScaling: null }), [1, 0.1, 0.01, 0.001]);
    close(await ropeFrequencies({ d: 4, ropeTheta: 1e6, ropeScaling: null }), [1, 0.001]);
    close(await ropeFrequencies({ d: 2, ropeTheta: 5e5, ropeScaling: null }), [1]);
  });

  test("linear: all divided by the factor", async () => {
    const ropeScaling = { type: "linear", factor: 4 } as const;
    close(await ropeFrequencies({ d: 8, ropeTheta: 1e4, ropeScaling }), [0.25, 0.025, 0.0025, 0.00025]);
  });

  test("llama3: fast ones stay, slow ones are divided, between them a blend", async () => {
    // 2000·π positions: a frequency f turns 1000·f times. Under 1 turn is slow, over 4 fast.
    const ropeScaling = {
      type: "llama3",
      factor: 8,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositions: 2000 * Math.PI,
    } as const;
    // theta = 1e4, d = 16: 10^(-i/2). Turns: 1000, 316, 100, 31.6, 10, 3.162, 1, 0.316.
    const root = Math.sqrt(10);
    const fast = (root - 1) / 3;
    close(await ropeFrequencies({ d: 16, ropeTheta: 1e4, ropeScaling }), [
      1,
      1 / root,
      0.1,
      0.1 / root,
      0.01,
      fast * (0.01 / root) + ((1 - fast) * (0.01 / root)) / 8,
      0.001 / 8,
      0.001 / root / 8,
    ]);
  });

  test("Llama 3.1 8B", async () => {
    const ropeScaling = {
      type: "llama3",
      factor: 8,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositions: 8192,
    } as const;
    const frequencies = await ropeFrequencies({ d: 128, ropeTheta: 5e5, ropeScaling });
    // Wavelengths: under 2048 positions (i <= 28) as they are, over 8192 (i >= 35) eight times as long.
    const plain = (i: number): number => 5e5 ** (-i / 64);
    expect([(2 * Math.PI) / plain(28) < 2048, (2 * Math.PI) / plain(29) > 2048]).toEqual([true, true]);
    expect([(2 * Math.PI) / plain(34) < 8192, (2 * Math.PI) / plain(35) > 8192]).toEqual([true, true]);
    close(
      frequencies.slice(0, 29),
      Array.from({ length: 29 }, (_, i) => plain(i)),
    );
    close(
      frequencies.slice(35),
      Array.from({ length: 29 }, (_, i) => plain(35 + i) / 8),
    );
    for (const [i, frequency] of frequencies.slice(29, 35).entries()) {
      expect(frequency).toBeLessThan(plain(29 + i));
      expect(frequency).toBeGreaterThan(plain(29 + i) / 8);
    }
  });
});

test("yarn: the ramp between two whole pairs, and a magnitude", async () => {
  const yarn = { type: "yarn", factor: 4, betaFast: 32, betaSlow: 1, originalMaxPositions: 4096 } as const;
  const config = { d: 16, ropeTheta: 1e4 };
  // Turns within 4096 positions: 652 for pair 0, by the root of 10 fewer for each next one. 32 turns are at
  // pair 2.62, 1 turn at pair 5.63: the ramp is 0 at pair 2, 1 at pair 6.
  const plain = Array.from({ length: 8 }, (_, i) => 10 ** (-i / 2));
  const ramp = [0, 0, 0, 1 / 4, 2 / 4, 3 / 4, 1, 1];
  const { frequencies, magnitude } = await ropeAngles({
    ...config,
    ropeScaling: { ...yarn, truncate: true, magnitude: 1.25 },
  });
  close(
    frequencies,
    plain.map((f, i) => (f / 4) * ramp[i]! + f * (1 - ramp[i]!)),
  );
  expect(magnitude).toBe(1.25);
  const table = angleTable(frequencies, magnitude);
  expect(table.slice(0, 2)).toEqual(new Float32Array([1.25, 0]));
  expect(table.slice(16 * ANGLE_ROWS, 16 * ANGLE_ROWS + 2)).toEqual(new Float32Array([1, 0]));
  const [, , fraction] = await ropeFrequencies({
    ...config,
    ropeScaling: { ...yarn, betaFast: 100, truncate: false, magnitude: 1 },
  });
  const low = (Math.log(4096 / (100 * 2 * Math.PI)) / Math.log(10)) * 2;
  const high = (Math.log(4096 / (2 * Math.PI)) / Math.log(10)) * 2;
  const share = (2 - low) / (high - low);
  expect(fraction).toBeCloseTo((0.1 / 4) * share + 0.1 * (1 - share), 12);
});

test("coarse and fine angles add up to float64's at every magnitude of position", async () => {
  const frequencies = await ropeFrequencies({ d: 128, ropeTheta: 1e4, ropeScaling: null });
  const half = frequencies.length;
  const table = angleTable(frequencies);
  const f = Math.fround;
  expect(MAX_POSITION).toBe(16_777_216);
  const edges = [
    0,
    1,
    ANGLE_ROWS - 1,
    ANGLE_ROWS,
    ANGLE_ROWS + 1,
    32_768,
    1_000_000,
    MAX_POSITION - ANGLE_ROWS,
    MAX_POSITION - 1,
  ];
  const spread = Array.from({ length: 2000 }, (_, i) => (i * 7_919_773) % MAX_POSITION);
  let worst = 0;
  for (const position of [...edges, ...spread]) {
    for (const [i, frequency] of frequencies.entries()) {
      const coarse = 2 * (Math.floor(position / ANGLE_ROWS) * half + i);
      const fine = 2 * ((ANGLE_ROWS + (position % ANGLE_ROWS)) * half + i);
      const [a, b, c, d] = [table[coarse]!, table[coarse + 1]!, table[fine]!, table[fine + 1]!];
      // As the shader does in f32: the sum formulas.
      const cos = f(f(a * c) - f(b * d));
      const sin = f(f(b * c) + f(a * d));
      const angle = position * frequency;
      worst = Math.max(worst, Math.abs(cos - Math.cos(angle)), Math.abs(sin - Math.sin(angle)));
    }
  }
  expect(worst).toBeLessThan(3e-7);
  // The angle itself in f32, as most engines have it, is off by far more.
  const naive = Math.abs(
    Math.cos(f((MAX_POSITION - 1) * f(frequencies[1]!))) - Math.cos((MAX_POSITION - 1) * frequencies[1]!),
  );
  expect(naive).toBeGreaterThan(1e-2);
});
