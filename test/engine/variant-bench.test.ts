// The tuner's bench of one matrix: a variant that is wrong in one output, now and then, is out by name.
import { afterAll, beforeAll, expect, test } from "vitest";
import { Buffers } from "../../engine/gpu/buffers.ts";
import { loadShaders, Pipelines } from "../../engine/gpu/dispatch.ts";
import { borrowDevice, type Gpu } from "../../engine/gpu/gpu.ts";
import { BatchClock } from "../../engine/tuning/batch-clock.ts";
import { type MatrixCase, openMatrix } from "../../engine/tuning/tune-matrix.ts";
import { type Bench, VariantBench } from "../../engine/tuning/variant-bench.ts";
import { type Kernel, type MatvecSize, matvec, weightFormats } from "../../kernels/index.ts";
import { openTestDevice } from "../helpers.ts";

const [N, K, parallel] = [70, 101, 8];

/** Edits of the line that stores a sum. */
const STORED = "plus_product(select(0.0, y[i], ADD), sums[j], r, t, N0 + n)";
const FAULTS: Readonly<Record<string, string>> = {
  "one output of the last row": `${STORED} * select(1.0, 1.1, t == ${parallel - 1} && n == ${N - 2})`,
  "with outliers": `clamp(${STORED}, -60.0, 60.0)`,
  "eight rows": `${STORED} * select(1.0, 1.1, TOKENS == 8 && n == 3)`,
  "not a number": `select(${STORED}, bitcast<f32>(0x7fc00000 + j), n == 5)`,
};

let gpu: Gpu;
let clock: BatchClock;
beforeAll(async () => {
  gpu = borrowDevice(await openTestDevice());
  clock = await BatchClock.open(gpu);
});
afterAll(() => {
  clock.close();
  gpu.device.destroy();
});

const kernelOf = (variant: string): Kernel<MatvecSize> => {
  const kernel = matvec(weightFormats.q4, "lane");
  const fault = FAULTS[variant];
  if (fault === undefined) return kernel;
  const source = [async () => (await loadShaders(kernel.source)).join("\n").replace(STORED, fault)];
  return { ...kernel, variant, source };
};

async function open(
  variants: readonly string[],
  rowCounts: readonly number[],
  wrap = (opened: Bench): Bench => opened,
) {
  const made = new Buffers(gpu.device);
  const matrix: MatrixCase = {
    ...{ format: weightFormats.q4, N, K, normed: false, variants, rowCounts, rotatedBytes: 0 },
    kernels(variant, rows) {
      const tokensPerBlock = rows as 1 | 2 | 4 | 8;
      const size = { T: rows === 1 ? 1 : parallel, tokensPerBlock, N, K };
      return [[kernelOf(variant) as unknown as Kernel<{ T: number }>, size]];
    },
    rounds: () => false,
  };
  const opened = await openMatrix(gpu, Pipelines.of(gpu.device), made, matrix);
  return { made, bench: new VariantBench(gpu, clock, made, wrap(opened)) };
}

test("every output of every row, with outliers, counts; a right variant has a time", async () => {
  const faults = Object.keys(FAULTS);
  const { made, bench } = await open(["right", ...faults], [1, 8]);
  for (const rows of [1, 8]) {
    for (const variant of ["right", ...faults]) await bench.measure(variant, rows);
    if (rows > 1) continue;
    expect([...bench.rejections.keys()]).toEqual(["with outliers", "not a number"]);
  }
  expect(await bench.measure("right", 8)).toBeGreaterThan(0);
  expect(bench.rejections.get("with outliers")).toMatch(/of row 1 of 1, with outliers, where plain/);
  expect(bench.rejections.get("eight rows")).toMatch(/ for output 3 of row 1 of 8 where plain /);
  expect(bench.rejections.get("one output of the last row")).toMatch(/ for output 68 of row 8 of 8 where /);
  expect(bench.rejections.size).toBe(faults.length);
  made.destroy();
});

test("a wrong variant that is measured first is out when the next one differs", async () => {
  const { made, bench } = await open(["eight rows", "right"], [8]);
  expect(await bench.measure("eight rows", 8)).toBeGreaterThan(0);
  expect(await bench.measure("right", 8)).toBeGreaterThan(0);
  expect([...bench.rejections.keys()]).toEqual(["eight rows"]);
  made.destroy();
});

test.each([
  ["in the third launch", (launch: number) => launch === 3],
  ["after the first check", (launch: number) => launch > 4],
  ["in every second launch of the batches", (launch: number) => launch > 6 && launch % 2 === 0],
])("a variant that is wrong %s is out", async (_, isWrong) => {
  let launches = 0;
  const { made, bench } = await open(["racing", "eight rows"], [8], (opened) => ({
    ...opened,
    async prepare(_variant, rows, set) {
      const [[right], [wrong]] = [
        await opened.prepare("racing", rows, set),
        await opened.prepare("eight rows", rows, set),
      ];
      const running = () => (isWrong(launches) ? wrong! : right!);
      return [
        {
          ...right!,
          // Encoding a launch reads the pipeline first.
          get pipeline() {
            launches++;
            return running().pipeline;
          },
          get bindGroup() {
            return running().bindGroup;
          },
        },
      ];
    },
  }));
  expect(await bench.measure("racing", 8)).toBe(Infinity);
  expect(bench.rejections.get("racing")).toMatch(
    / for output 3 of row . of 8.* where plain arithmetic gives /,
  );
  made.destroy();
});
