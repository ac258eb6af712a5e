// Weight and cache formats on the CPU: 16-bit floats over every bit pattern, and the errors of q8 and q4.
import { describe, expect, test } from "vitest";
import {
  bf16ToNumber,
  bitsToF32,
  f16ToF32Bits,
  f16ToNumber,
  f32BitsToBf16,
  f32BitsToF16,
  f32ToBits,
  numberToBf16,
  numberToF16,
} from "../../kernels/formats/half.ts";
import { bytesPerRow, cacheFormats, padded, type WeightFormat, weightFormats } from "../../kernels/index.ts";
import { randomU32 } from "../random.ts";

const everyPattern = Array.from({ length: 65536 }, (_, pattern) => pattern);
const { q8, q4, q4a, q4a64, q4a128, q4k } = weightFormats;

describe("sixteen-bit floats", () => {
  test("known values", () => {
    const f16Values: [number, number][] = [
      [0x3c00, 1],
      [0xc000, -2],
      [0x3555, 0.333251953125],
      [0x7bff, 65504],
      [0x0400, 2 ** -14],
      [0x03ff, 1023 * 2 ** -24],
      [0x0001, 2 ** -24],
      [0xfc00, -Infinity],
      [0x8000, -0],
    ];
    for (const [pattern, value] of f16Values) expect(f16ToNumber(pattern)).toBe(value);
    expect(bf16ToNumber(0x3f80)).toBe(1);
    expect(bf16ToNumber(0xc049)).toBe(-3.140625);
    expect(bf16ToNumber(0x0001)).toBe(2 ** -133);
  });

  test("every pattern survives the way through f32, NaN included", () => {
    expect(everyPattern.filter((pattern) => f32BitsToF16(f16ToF32Bits(pattern)) !== pattern)).toEqual([]);
    expect(everyPattern.filter((pattern) => f32BitsToBf16((pattern << 16) >>> 0) !== pattern)).toEqual([]);
  });

  test.each([
    ["f16", f16ToNumber, numberToF16, 0x7bff],
    ["bf16", bf16ToNumber, numberToBf16, 0x7f7f],
  ] as const)(
    "%s rounds to nearest, ties to even, between every two neighbours",
    (_, decode, encode, largest) => {
      const wrong: number[] = [];
      for (let lower = 0; lower < largest; lower++) {
        const [a, b] = [decode(lower), decode(lower + 1)];
        const middle = (a + b) / 2; // exact in f32, but for the subnormals of bf16's last place
        const even = lower % 2 === 0 ? lower : lower + 1;
        const justBelow = bitsToF32(f32ToBits(middle) - 1);
        const justAbove = bitsToF32(f32ToBits(middle) + 1);
        for (const [value, expected] of [
          [middle, even],
          [justBelow, lower],
          [justAbove, lower + 1],
        ] as const) {
          if (encode(value) !== expected || encode(-value) !== (expected | 0x8000)) wrong.push(lower);
        }
      }
      expect(wrong).toEqual([]);
    },
  );

  test("past the largest: f16 saturates, bf16 does as IEEE 754", () => {
    expect([65504, 65520, 1e30, -7e4].map(numberToF16)).toEqual([0x7bff, 0x7bff, 0x7bff, 0xfbff]);
    expect([Infinity, -Infinity].map(numberToF16)).toEqual([0x7c00, 0xfc00]);
    expect(f16ToNumber(numberToF16(Number.NaN))).toBeNaN();
    expect(numberToBf16(3.4e38)).toBe(0x7f80);
    // A NaN whose payload is only in the dropped bits must not become an infinity.
    expect(f16ToNumber(f32BitsToF16(0x7f800001))).toBeNaN();
    expect(bf16ToNumber(f32BitsToBf16(0xff800001))).toBeNaN();
  });
});

describe.each(Object.values(weightFormats).map((format) => [format.name, format] as const))(
  "%s",
  (_, format) => {
    test.each([32, 64, 96, 704])("K = %i: rows neither touch nor disturb each other", (K) => {
      const next = randomU32(K);
      const value = () => Math.fround(next() / 2 ** 31 - 1);
      const rows = Array.from({ length: 3 }, () => Array.from({ length: K }, value));
      const alone = rows.map((row) => decoded(format, [row])[0]!);
      expect(decoded(format, rows)).toEqual(alone);
      const paired = (0.75 * 2) / 15;
      const bounds = {
        ...{ f32: 0, f16: 2 ** -12, bf16: 2 ** -9, q8: 0.75 / 120, q4: 0.75 / 6 },
        ...{ q4a: paired, q4a64: paired, q4a128: paired, q4k: paired },
      };
      const errors = rows.flatMap((row, n) => row.map((x, k) => Math.abs(x - alone[n]![k]!)));
      expect(Math.max(...errors)).toBeLessThanOrEqual(bounds[format.name]);
    });

    test("bytes of a row are those of its buffers", () => {
      for (const K of [1, 32, 33, 4096]) {
        const words = format.bindings(1, padded(K)).reduce((sum, { length }) => sum + length, 0);
        expect(bytesPerRow(format, K)).toBe(4 * words);
      }
    });

    test("zeros stay exact", () => {
      for (const x of decoded(format, [Array(96).fill(0)])[0]!) expect(Math.abs(x)).toBe(0);
    });
  },
);

test("bytes of a row of 4096", () => {
  const bytes = Object.values(weightFormats).map((format) => bytesPerRow(format, 4096));
  const paired = [2048 + 512, 2048 + 256, 2048 + 128];
  expect(bytes).toEqual([16384, 8192, 8192, 4096 + 256, 2048 + 256, ...paired, 2048 + 256]);
});

/** A sum of three uniforms: bell-shaped, like trained weights. */
const bells = (count: number, seed: number) => {
  const next = randomU32(seed);
  return Array.from({ length: count }, () => Math.fround((next() + next() + next()) / 2 ** 31 - 3));
};

describe("q8 and q4", () => {
  test.each([
    ["q8", 127, 0.92, q8],
    ["q4", 7, 0.88, q4],
  ] as const)("%s beats the scale max|x| / %i", (_, codes, ratio, format) => {
    const x = bells(32 * 500, 1);
    let [plain, searched] = [0, 0];
    for (let k = 0; k < x.length; k += 32) {
      const group = x.slice(k, k + 32);
      const scale = f16ToNumber(numberToF16(Math.max(...group.map(Math.abs)) / codes));
      plain += squaredError(
        group,
        group.map((v) => scale * Math.max(-codes - 1, Math.min(codes, Math.round(v / scale)))),
      );
      searched += squaredError(group, decoded(format, [group])[0]!);
    }
    expect(Math.sqrt(searched / plain)).toBeLessThan(ratio);
  });

  test("q4 is within 0.2 % of the best of all f16 scales", () => {
    const x = bells(32 * 40, 2);
    let [best, searched] = [0, 0];
    for (let k = 0; k < x.length; k += 32) {
      const group = x.slice(k, k + 32);
      const largest = Math.max(...group.map(Math.abs));
      let least = Infinity;
      for (let pattern = numberToF16(largest / 16); pattern < numberToF16(largest / 3); pattern++) {
        for (const scale of [f16ToNumber(pattern), -f16ToNumber(pattern)]) {
          const kept = group.map((v) => scale * Math.max(-8, Math.min(7, Math.round(v / scale))));
          least = Math.min(least, squaredError(group, kept));
        }
      }
      best += least;
      searched += squaredError(group, decoded(q4, [group])[0]!);
    }
    expect(Math.sqrt(searched / best)).toBeLessThan(1.002);
  });

  test("q4a is a twentieth closer than q4", () => {
    const x = bells(32 * 500, 8);
    const groups = Array.from({ length: 500 }, (_, i) => x.slice(32 * i, 32 * i + 32));
    const error = (format: WeightFormat) =>
      Math.sqrt(groups.reduce((sum, group) => sum + squaredError(group, decoded(format, [group])[0]!), 0));
    expect(error(q4a) / error(q4)).toBeLessThan(0.95);
  });

  test.each([q8, q4])(
    "$name keeps one outlier, on either side, and still resolves the rest as its step allows",
    (format) => {
      const codes = format === q8 ? 128 : 8;
      for (const outlier of [5, -5]) {
        const group = bells(32, 3).map((x) => 0.1 * x);
        group[17] = outlier;
        const kept = decoded(format, [group])[0]!;
        // Clipping the largest by up to half a step may reduce the errors of the others.
        const errors = group.map((x, i) => Math.abs(x - kept[i]!));
        expect(Math.max(...errors)).toBeLessThanOrEqual(0.75 * (5 / (codes - 1)));
      }
    },
  );

  test.each([q8, q4])("$name scales with its group, from the smallest f16 scale to the largest", (format) => {
    const group = bells(32, 4).map((x) => x / 3);
    const relative = (factor: number) => {
      const scaled = group.map((x) => Math.fround(x * factor));
      return Math.sqrt(
        squaredError(scaled, decoded(format, [scaled])[0]!) / squaredError(scaled, Array(32).fill(0)),
      );
    };
    const usual = relative(1);
    expect(usual).toBeLessThan(format === q8 ? 0.01 : 0.12);
    for (const power of [-6, 8, 16, 17]) expect(relative(2 ** power)).toBe(usual);
    // Below 2^-14 scales have fewer bits.
    expect(relative(format === q8 ? 2 ** -12 : 2 ** -17)).toBeLessThan(1.5 * usual);
    expect(relative(1e-12)).toBe(1); // all zeros
  });

  test.each([q8, q4])("$name counts NaN and infinities as 0 and clamps at 2^18", (format) => {
    const group = bells(32, 5);
    const spoilt = [...group];
    [spoilt[3], spoilt[4], spoilt[5]] = [Number.NaN, Infinity, -Infinity];
    [group[3], group[4], group[5]] = [0, 0, 0];
    expect(decoded(format, [spoilt])).toEqual(decoded(format, [group]));
    const huge = decoded(format, [[3e38, -3e38, ...Array(30).fill(2 ** 18)]])[0]!;
    for (const x of huge) expect(Math.abs(x)).toBeCloseTo(2 ** 18, -4.5);
  });
});

describe.each([
  [32, q4a, 0.93],
  [64, q4a64, 0.94],
  [128, q4a128, 0.95],
] as const)("pairs of %i weights", (n, format, ratio) => {
  const relative = (group: readonly number[]) => {
    const rounded = group.map(Math.fround);
    return Math.sqrt(
      squaredError(rounded, decoded(format, [rounded])[0]!) / squaredError(rounded, Array(n).fill(0)),
    );
  };

  test("beat the range of the group in 15 steps, and stay close to a search of any pair", () => {
    const x = bells(n * 200, 1);
    let [plain, searched, least] = [0, 0, 0];
    for (let k = 0; k < x.length; k += n) {
      const group = x.slice(k, k + n);
      const [low, high] = [Math.min(...group), Math.max(...group)];
      const error = (a: number, b: number) =>
        squaredError(
          group,
          group.map((v) => a * Math.min(15, Math.max(0, Math.round((v - b) / a))) + b),
        );
      plain += error((high - low) / 15, low);
      searched += squaredError(group, decoded(format, [group])[0]!);
      let best = Infinity;
      for (let from = 0; from < 0.2; from += 0.02)
        for (let to = 0; to < 0.2; to += 0.02) {
          const [b, end] = [low + from * (high - low), high - to * (high - low)];
          best = Math.min(best, error((end - b) / 15, b));
        }
      least += best;
    }
    expect(Math.sqrt(searched / plain)).toBeLessThan(ratio);
    expect(Math.sqrt(searched / least)).toBeLessThan(1.015);
  });

  test("follow a group that is far from 0, as far as f16 holds its offset", () => {
    const group = bells(n, 6);
    const absolute = (x: readonly number[]) => relative(x) * Math.sqrt(squaredError(x, Array(n).fill(0)));
    for (const shift of [-7, 40]) {
      const shifted = group.map((x) => x + shift);
      expect(absolute(shifted)).toBeLessThan(1.05 * absolute(group));
    }
    const constant = (x: number) => decoded(format, [Array(n).fill(x)])[0]!;
    expect(constant(-0.375)).toEqual(Array(n).fill(-0.375));
    for (const x of constant(Math.fround(0.1))) expect(Math.abs(x / 0.1 - 1)).toBeLessThan(2 ** -11);
  });

  test("scale with their group, from the smallest f16 to the largest", () => {
    const group = bells(n, 4).map((x) => x / 3);
    const scaled = (factor: number) => relative(group.map((x) => x * factor));
    const usual = scaled(1);
    expect(usual).toBeLessThan(0.11);
    for (const power of [-6, 8, 15]) expect(scaled(2 ** power)).toBe(usual);
    expect(scaled(2 ** -15)).toBeLessThan(1.5 * usual);
    expect(scaled(1e-12)).toBe(1); // all zeros
  });

  test("count NaN and infinities as 0 and clamp at 65504", () => {
    const group = bells(n, 5);
    const spoilt = [...group];
    [spoilt[3], spoilt[4], spoilt[5]] = [Number.NaN, Infinity, -Infinity];
    [group[3], group[4], group[5]] = [0, 0, 0];
    expect(decoded(format, [spoilt])).toEqual(decoded(format, [group]));
    const huge = decoded(format, [[3e38, -3e38, ...Array(n - 2).fill(65504)]])[0]!;
    huge.forEach((x, k) => {
      expect(Math.abs(x / (k === 1 ? -65504 : 65504) - 1)).toBeLessThan(2e-3);
    });
  });

  test("padding is no part of a group", () => {
    const group = [5, 5.5, 6.25];
    const row = Uint32Array.from({ length: 32 }, (_, k) => f32ToBits(group[k] ?? 0));
    const buffers = format.bindings(1, 32).map(({ length }) => new Uint32Array(length));
    format.storeRow(buffers, 0, row, group.length);
    expect(group.map((x, k) => Math.abs(format.at(buffers, k, 32) - x)).every((error) => error < 2e-3)).toBe(
      true,
    );
  });
});

describe("super-groups of q4k", () => {
  const error = (format: WeightFormat, x: readonly number[]) =>
    squaredError(x, decoded(format, [[...x]])[0]!);
  const rows = Array.from({ length: 100 }, (_, i) => bells(256, 40 + i));
  const total = (format: WeightFormat) => rows.reduce((sum, row) => sum + error(format, row), 0);

  test("lose as little with 4.5 bits as q4a does with 5, and less than q4", () => {
    expect(Math.sqrt(total(q4k) / total(q4a))).toBeLessThan(1.005);
    expect(Math.sqrt(total(q4k) / total(q4))).toBeLessThan(0.95);
  });

  test("keep a sub-group that is five times smaller than its neighbours as it keeps them", () => {
    const row = bells(256, 9).map((x, k) => (k >> 5 === 3 ? x / 5 : x));
    const kept = decoded(q4k, [row])[0]!;
    const relative = (j: number) => {
      const own = row.slice(32 * j, 32 * j + 32);
      return Math.sqrt(
        squaredError(own, kept.slice(32 * j, 32 * j + 32)) / squaredError(own, Array(32).fill(0)),
      );
    };
    expect(relative(3)).toBeLessThan(1.6 * relative(4));
  });

  test("have minima of 0 where all weights are positive, and scales that reach the largest", () => {
    const row = bells(256, 10).map((x) => Math.abs(x) + 0.5);
    row.forEach((x, k) => {
      expect(Math.abs(decoded(q4k, [row])[0]![k]! - x)).toBeLessThan(0.75 * (Math.max(...row) / 15));
    });
    expect(
      decoded(q4k, [Array(256).fill(-0.375)])[0]!.every((x) => Math.abs(x / -0.375 - 1) < 2 ** -10),
    ).toBe(true);
  });

  test("scale with their weights, from the smallest f16 to the largest", () => {
    const row = bells(256, 4).map((x) => x / 3);
    const scaled = (factor: number) => {
      const weights = row.map((x) => Math.fround(x * factor));
      return Math.sqrt(error(q4k, weights) / squaredError(weights, Array(256).fill(0)));
    };
    expect(scaled(1)).toBeLessThan(0.11);
    for (const power of [-3, 8, 15]) expect(scaled(2 ** power)).toBe(scaled(1));
    expect(scaled(2 ** -10)).toBeLessThan(1.5 * scaled(1));
    expect(scaled(1e-12)).toBe(1); // all zeros
  });

  test("count NaN and infinities as 0, and padding not at all", () => {
    const row = bells(256, 5);
    const spoilt = [...row];
    [spoilt[3], spoilt[44], spoilt[205]] = [Number.NaN, Infinity, -Infinity];
    [row[3], row[44], row[205]] = [0, 0, 0];
    expect(decoded(q4k, [spoilt])).toEqual(decoded(q4k, [row]));
    const short = Uint32Array.from({ length: 288 }, (_, k) => f32ToBits(k < 259 ? -5 - k / 259 : 0));
    const buffers = q4k.bindings(1, 288).map(({ length }) => new Uint32Array(length));
    q4k.storeRow(buffers, 0, short, 259);
    for (const k of [256, 257, 258])
      expect(Math.abs(q4k.at(buffers, k, 288) + 5 + k / 259)).toBeLessThan(5e-3);
  });
});

/** Stores rows [N, K] and reads them back. */
function decoded(format: WeightFormat, rows: number[][]): number[][] {
  const K = rows[0]!.length;
  const buffers = format
    .bindings(rows.length, K)
    .map(({ type, length }) =>
      type === "f32" ? new Float32Array(length) : new Uint32Array(length).fill(~0),
    );
  rows.forEach((row, n) => {
    format.storeRow(buffers, n, Uint32Array.from(row, f32ToBits));
  });
  return rows.map((row, n) => row.map((_, k) => format.at(buffers, n * K + k, K)));
}

const squaredError = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0);

describe.each(Object.values(cacheFormats).map((format) => [format.name, format] as const))(
  "cache %s",
  (name, format) => {
    /** Stores a row between two others and reads it back. */
    const kept = (row: readonly number[]): number[] => {
      const words = 3 * format.words(row.length);
      const cache = format.type === "f32" ? new Float32Array(words) : new Uint32Array(words);
      for (const at of [0, 2]) format.store(cache, at, new Float32Array(row.length).fill(7));
      format.store(cache, 1, row);
      for (const at of [0, 2]) {
        const neighbour = row.map((_, i) => format.at(cache, at, i, row.length));
        for (const value of neighbour) expect(Math.abs(value / 7 - 1)).toBeLessThan(1e-4);
      }
      return row.map((_, i) => format.at(cache, 1, i, row.length));
    };

    test.each([2, 6, 30, 32, 34, 80, 128, 256])("keeps a row of %d, each group by its own scale", (d) => {
      const next = randomU32(d);
      // Every group is a thousand times smaller than the one before: a neighbour's scale would show.
      const size = (i: number) => 1000 ** -Math.floor(i / 32);
      const row = Array.from({ length: d }, (_, i) => size(i) * Math.fround(next() / 2 ** 31 - 1));
      kept(row).forEach((value, i) => {
        const group = row.slice(32 * Math.floor(i / 32), 32 * Math.floor(i / 32) + 32);
        const halfCode = (Math.max(...group.map(Math.abs)) / 127 / 2) * 1.0001;
        const bound = { f32: 2 ** -24, f16: 2 ** -11, q8: halfCode / Math.abs(row[i]!) }[name];
        // The smallest f16 are 2^-24 apart.
        const least = name === "f16" ? 2 ** -25 : 0;
        expect(Math.abs(value - row[i]!)).toBeLessThanOrEqual(bound * Math.abs(row[i]!) + least);
      });
    });

    test("keeps zeros, signs and extremes", () => {
      const ones = [1, -1, 0, 0, 1, -1];
      kept(ones).forEach((value, i) => {
        expect(value).toBeCloseTo(ones[i]!, 4);
      });
      expect(kept([0, 0, 0, 0]).map(Math.abs)).toEqual([0, 0, 0, 0]);
      expect(kept([1e-40, 0])[0]).toBeLessThan(1e-30);
      const [large, negative] = kept([6e4, -6e4]);
      expect(large).toBe(-negative!);
      expect(Math.abs(large! / 6e4 - 1)).toBeLessThan(1e-3);
      if (name !== "f16") expect(Math.abs(kept([1e30, 1])[0]! / 1e30 - 1)).toBeLessThan(1e-3);
      else expect(kept([1e30, 1])[0]).toBe(65504);
    });
  },
);

test("a code of the q8 cache is the nearest, ties away from zero", () => {
  // 127 / 127: the scale is 1.
  const row = [127, 0.5, -0.5, 0.49999997, 1.5, -2.5, 126.5, -126.49999];
  const cache = new Uint32Array(cacheFormats.q8.words(row.length));
  cacheFormats.q8.store(cache, 0, row);
  expect(row.map((_, i) => cacheFormats.q8.at(cache, 0, i, row.length))).toEqual([
    127, 1, -1, 0, 2, -3, 127, -126,
  ]);
});
