// What the tuner submits on a GPU whose launches have known times: no long submit, and no time with a sleep.
import { afterEach, expect, test, vi } from "vitest";
import { Buffers } from "../../engine/gpu/buffers.ts";
import type { Dispatch } from "../../engine/gpu/dispatch.ts";
import type { Gpu } from "../../engine/gpu/gpu.ts";
import type { BatchClock } from "../../engine/tuning/batch-clock.ts";
import { type Bench, VariantBench } from "../../engine/tuning/variant-bench.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const SLEEP_MS = 3_600_000;

/**
 * A bench of variants, and the launches of each submit and batch so far.
 * @param cost milliseconds of a launch of each variant
 * @param sleeps whether the machine sleeps in a batch, by its index
 * @param reading what timestamps say, if not the truth; they can be distrusted once
 */
function open(cost: Readonly<Record<string, number>>, sleeps = (_batch: number) => false, reading?: number) {
  let now = 1000;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  let pending = 0;
  let running = "";
  const submits: number[] = [];
  const batches: number[] = [];
  const pass = {
    setPipeline() {},
    setBindGroup() {},
    dispatchWorkgroups: () => pending++,
    end() {},
  } as unknown as GPUComputePassEncoder;
  /** Runs what is pending. */
  const run = () => {
    const ms = pending * (cost[running] ?? 0);
    now += ms;
    const launches = pending;
    pending = 0;
    return { launches, ms };
  };
  const device = {
    createBuffer: ({ size }: { size: number }) => ({
      size,
      mapAsync: async () => {},
      getMappedRange: (_: number, bytes: number) => new Float32Array(bytes / 4).fill(1).buffer,
      unmap() {},
      destroy() {},
    }),
    createCommandEncoder: () => ({ beginComputePass: () => pass, copyBufferToBuffer() {}, finish() {} }),
    queue: {
      writeBuffer() {},
      submit() {
        const { launches } = run();
        if (launches > 0) submits.push(launches);
      },
    },
  } as unknown as GPUDevice;
  let trusted = reading !== undefined;
  const clock: Pick<BatchClock, "time" | "unitMs" | "batchMs" | "roundTripMs" | "distrust"> = {
    ...{ unitMs: 0.1, batchMs: 2, roundTripMs: 0 },
    async time(record) {
      record(pass);
      const { launches, ms } = run();
      const slept = sleeps(batches.length) ? SLEEP_MS : 0;
      now += slept;
      batches.push(launches);
      return trusted ? reading! : ms + slept;
    },
    distrust() {
      const was = trusted;
      trusted = false;
      return was;
    },
  };
  const gpu = {
    device,
    check() {},
    settle: (work: Promise<unknown>) => work,
    scoped: <T>(create: () => T) => create(),
  } as unknown as Gpu;
  const bench: Bench = {
    ...{ rowCounts: [1], outputs: {} as GPUBuffer, width: 1, stride: 1, sets: 2 },
    sampled: () => [[0, 0]],
    plain: () => 1,
    rounds: () => false,
    async prepare(variant) {
      running = variant;
      return [{ workgroups: [1, 1, 1] } as unknown as Dispatch];
    },
  };
  const variants = new VariantBench(gpu, clock as BatchClock, new Buffers(device), bench);
  return { variants, submits, batches };
}

test("a sleep in any batch of a variant does not change its time", async () => {
  for (let at = 0; at < 8; at++) {
    const { variants } = open({ first: 1, second: 0.9 }, (batch) => batch === at);
    expect(await variants.measure("first", 1), `slept in ${at}`).toBeCloseTo(1000);
    expect(await variants.measure("second", 1), `slept in ${at}`).toBeCloseTo(900);
  }
});

test("with timestamps that never advance, batches grow no longer than 200 ms", async () => {
  for (const cost of [0.03, 1, 10, 49]) {
    const { variants, batches } = open({ slow: cost }, undefined, 0);
    expect(await variants.measure("slow", 1)).toBeCloseTo(1000 * cost);
    expect(cost * Math.max(...batches), `${cost} ms a launch`).toBeLessThanOrEqual(200);
  }
});

test("checks launch one a submit, and so do batches of a variant that is slow", async () => {
  const { variants, submits, batches } = open({ slow: 150 });
  expect(await variants.measure("slow", 1)).toBeCloseTo(150_000);
  expect({ submits: new Set(submits), batches: new Set(batches) }).toEqual({
    submits: new Set([1]),
    batches: new Set([1]),
  });
});
