// The tuner's clock: readings that cannot be true do not count.
import { afterEach, expect, test, vi } from "vitest";
import type { Gpu } from "../../engine/gpu/gpu.ts";
import { BatchClock } from "../../engine/tuning/batch-clock.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** A GPU whose work takes `hostMs` by the host's clock; passes have these begins and ends in milliseconds. */
function fakeGpu(hostMs: () => number, stamps?: [begin: number, end: number][]): Gpu {
  let now = 1000;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const work = async () => {
    now += hostMs();
  };
  const buffer = {
    mapAsync: work,
    getMappedRange: () => BigInt64Array.from(stamps!.shift()!, (ms) => BigInt(Math.round(1e6 * ms))).buffer,
    unmap() {},
    destroy() {},
  };
  const encoder = {
    beginComputePass: () => ({ end() {} }),
    resolveQuerySet() {},
    copyBufferToBuffer() {},
    finish() {},
  };
  const device = {
    features: new Set(stamps ? ["timestamp-query"] : []),
    createQuerySet: () => ({ destroy() {} }),
    createBuffer: () => buffer,
    createCommandEncoder: () => encoder,
    queue: { submit() {}, onSubmittedWorkDone: work },
  };
  return { device, settle: (pending: Promise<unknown>) => pending } as unknown as Gpu;
}

test("without timestamps, the host's clock counts less an empty round trip, and a slow one asks for more", async () => {
  const times = [3, 2, 2.5, 9, 2, 12];
  const clock = await BatchClock.open(fakeGpu(() => times.shift()!));
  expect(clock.batchMs).toBe(20);
  expect(await clock.time(() => {})).toBe(10);
  const slow = await BatchClock.open(fakeGpu(() => 100));
  expect(slow.batchMs).toBe(30);
});

test("a timestamp that says more than the host saw go by, or less than nothing, is read again", async () => {
  const stamps: [number, number][] = [
    [0, 7_200_000],
    [50, 40],
    [10, 12.5],
  ];
  const clock = await BatchClock.open(fakeGpu(() => 4, stamps));
  expect(clock.batchMs).toBeCloseTo(2);
  expect(await clock.time(() => {})).toBe(2.5);
  expect(stamps).toEqual([]);
});

test("timestamps that are always wrong, or never advance, give way to the host's clock", async () => {
  const wrong = Array.from({ length: 3 }, (): [number, number] => [5, 1]);
  let hostMs = 1;
  const clock = await BatchClock.open(fakeGpu(() => hostMs, wrong));
  hostMs = 7;
  expect(await clock.time(() => {})).toBe(6);
  expect(clock.distrust()).toBe(false);
  const still = await BatchClock.open(fakeGpu(() => hostMs, [[5, 5]]));
  expect(await still.time(() => {})).toBe(0);
  expect(still.distrust()).toBe(true);
  hostMs = 9;
  expect(await still.time(() => {})).toBe(2);
});
