// Passes in submits of bounded time, on a GPU whose clock advances by a cost for each dispatch.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Dispatch } from "../../engine/gpu/dispatch.ts";
import { Gpu } from "../../engine/gpu/gpu.ts";
import { Submitter } from "../../engine/gpu/submitter.ts";
import type { Kernel } from "../../kernels/index.ts";
import { expectNoUnhandledRejections } from "../helpers.ts";

expectNoUnhandledRejections();

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A prefill of Mistral 7B: 32 layers of ten dispatches, 7 TFLOP. */
const dispatch = {
  kernel: { cost: () => ({ flops: 2.2e10 }) } as unknown as Kernel,
  size: { T: 512 },
  workgroups: [1],
} as unknown as Dispatch;
const layers = Array.from({ length: 320 }, () => dispatch);

class FakeGpu {
  /** Of each submit: its dispatches, its milliseconds, and those queued when it came, with itself. */
  readonly submits: { readonly dispatches: number; readonly ms: number; readonly queuedMs: number }[] = [];
  /** What the queue was told, in order. */
  readonly log: string[] = [];
  /** Milliseconds until the host sees that work is done. */
  latency = 0.2;
  idleMs = 0;
  readonly #cost: (n: number) => number;
  #freeAt = performance.now();
  #dispatched = 0;

  /** @param cost milliseconds of a dispatch, by its number since the beginning */
  constructor(cost: (n: number) => number) {
    this.#cost = cost;
  }

  readonly gpu = new Gpu(
    {
      lost: new Promise(() => {}),
      addEventListener() {},
      removeEventListener() {},
      createCommandEncoder: () => {
        let count = 0;
        const pass = { setPipeline() {}, setBindGroup() {}, dispatchWorkgroups: () => count++, end() {} };
        return { beginComputePass: () => pass, finish: () => ({ count: () => count }) };
      },
      queue: {
        submit: ([commands]: [{ count(): number }]) => this.#submit(commands.count()),
        writeBuffer: (_buffer: unknown, offset: number) => this.log.push(`write ${offset}`),
        onSubmittedWorkDone: () =>
          new Promise((resolve) =>
            setTimeout(resolve, Math.max(0, this.#freeAt - performance.now()) + this.latency),
          ),
      },
    } as unknown as GPUDevice,
    { name: "fake", software: false } as Gpu["adapter"],
    { owned: false },
  );

  #submit(dispatches: number): void {
    const now = performance.now();
    this.idleMs += Math.max(0, now - this.#freeAt);
    let ms = 0;
    for (let i = 0; i < dispatches; i++) ms += this.#cost(this.#dispatched++);
    this.#freeAt = Math.max(now, this.#freeAt) + ms;
    this.submits.push({ dispatches, ms, queuedMs: this.#freeAt - now });
    this.log.push(`submit ${dispatches}`);
  }

  get longest(): number {
    return Math.max(...this.submits.map(({ ms }) => ms));
  }
}

/** Runs passes one after the other. @returns the submits of the last */
async function runPasses(fake: FakeGpu, submitter: Submitter, count: number) {
  let first = 0;
  for (let pass = 0; pass < count; pass++) {
    first = fake.submits.length;
    const done = (async () => {
      await submitter.run([layers]);
      await submitter.done();
    })();
    await vi.runAllTimersAsync();
    await done;
  }
  return fake.submits.slice(first);
}

test("a fast GPU gets a whole pass in one submit, once it is known to be fast", async () => {
  const fake = new FakeGpu(() => 0.2);
  const submitter = new Submitter(fake.gpu);
  const first = await runPasses(fake, submitter, 1);
  expect(first[0]!.dispatches).toBe(1);
  expect(first.length).toBeLessThan(20);
  expect((await runPasses(fake, submitter, 1)).map(({ dispatches }) => dispatches)).toEqual([320]);
});

test("a pass of 7 s: no submit over 250 ms, at most two queued, and the GPU never waits", async () => {
  // One dispatch of a layer takes most of its time, which is not known.
  const fake = new FakeGpu((n) => (n % 10 === 7 ? 150 : 9));
  const submitter = new Submitter(fake.gpu);
  await runPasses(fake, submitter, 2);
  const total = fake.submits.reduce((sum, { dispatches }) => sum + dispatches, 0);
  expect(total).toBe(640);
  expect(fake.longest).toBeLessThanOrEqual(250);
  expect(Math.max(...fake.submits.map(({ queuedMs }) => queuedMs))).toBeLessThanOrEqual(400);
  // From one pass to the next the host waits, here.
  expect(fake.idleMs).toBeLessThan(5);
  // No more submits than that takes.
  expect(fake.submits.length).toBeLessThan(2 * 100);
});

test("a GPU that becomes ten times slower within a pass", async () => {
  const fake = new FakeGpu((n) => 2 * 10 ** Math.min(1, Math.max(0, n - 640) / 300));
  const submitter = new Submitter(fake.gpu);
  await runPasses(fake, submitter, 4);
  expect(fake.longest).toBeLessThanOrEqual(200);
  // At once, as by a battery that runs low: for two submits it is not known.
  const sudden = new FakeGpu((n) => (n < 960 ? 2 : 16));
  await runPasses(sudden, new Submitter(sudden.gpu), 4);
  expect(sudden.longest).toBeLessThanOrEqual(900);
  const over = sudden.submits.filter(({ ms }) => ms > 200).length;
  expect(over).toBeLessThanOrEqual(3);
});

test("one hour of sleep does not decide", async () => {
  const fake = new FakeGpu(() => 0.2);
  const submitter = new Submitter(fake.gpu);
  await runPasses(fake, submitter, 3);
  fake.latency = 3_600_000;
  await runPasses(fake, submitter, 1);
  fake.latency = 0.2;
  // It counts as 256 ms for a pass of 64: some submits more, and soon one again.
  expect((await runPasses(fake, submitter, 1)).length).toBeLessThanOrEqual(3);
  expect((await runPasses(fake, submitter, 2)).length).toBe(1);
});

test("a host that hears of the end in intervals of 100 ms cuts no finer for it", async () => {
  const fake = new FakeGpu(() => 0.1);
  // As Firefox: nothing is seen before the next multiple of 100 ms.
  Object.defineProperty(fake, "latency", { get: () => 100 - ((performance.now() + 32) % 100) });
  const submitter = new Submitter(fake.gpu);
  await runPasses(fake, submitter, 6);
  for (let pass = 0; pass < 10; pass++)
    expect((await runPasses(fake, submitter, 1)).length).toBeLessThanOrEqual(3);
});

test("a signal ends a pass between two submits, and the next pass is whole", async () => {
  const fake = new FakeGpu(() => 30);
  const submitter = new Submitter(fake.gpu);
  const controller = new AbortController();
  const reason = new Error("stopped");
  const result = Promise.resolve(submitter.run([layers], { signal: controller.signal })).catch(
    (error: unknown) => error,
  );
  setTimeout(() => controller.abort(reason), 1000);
  await vi.runAllTimersAsync();
  expect(await result).toBe(reason);
  const submitted = fake.submits.reduce((sum, { dispatches }) => sum + dispatches, 0);
  expect(submitted).toBeGreaterThan(30);
  expect(submitted).toBeLessThan(42);
  const next = await runPasses(fake, submitter, 1);
  expect(next.reduce((sum, { dispatches }) => sum + dispatches, 0)).toBe(320);
});

test("once the device is disposed of, nothing is submitted to it, from a pass or from the calls after it", async () => {
  const fake = new FakeGpu(() => 30);
  const submitter = new Submitter(fake.gpu);
  const data = new Uint32Array([1]);
  const calls = [
    submitter.run([layers]),
    submitter.read(async () => fake.log.push("read")),
    submitter.run([layers.slice(0, 1)]),
  ].map((call) => Promise.resolve(call).catch((error: unknown) => error));
  submitter.writeBuffer({} as GPUBuffer, 1, data);
  await vi.advanceTimersByTimeAsync(1000);
  const { length } = fake.log;
  expect(length).toBeGreaterThan(2);
  fake.gpu.dispose();
  await vi.runAllTimersAsync();
  for (const error of await Promise.all(calls)) expect(error).toMatchObject({ code: "disposed" });
  submitter.writeBuffer({} as GPUBuffer, 2, data);
  expect(() => submitter.run([layers])).toThrow("disposed");
  expect(fake.log.slice(length)).toEqual([]);
});

test("calls keep their order while a pass waits for room", async () => {
  const fake = new FakeGpu(() => 50);
  const submitter = new Submitter(fake.gpu);
  const data = new Uint32Array([1]);
  const calls = [
    submitter.run([layers.slice(0, 5)]),
    submitter.writeBuffer({} as GPUBuffer, 1, data),
    submitter.run([layers.slice(0, 2)], { copy: () => fake.log.push("copy") }),
    submitter.read(async () => fake.log.push("read")),
    submitter.writeBuffer({} as GPUBuffer, 2, data),
  ];
  await vi.runAllTimersAsync();
  await Promise.all(calls);
  const order = fake.log.filter((call) => !call.startsWith("submit"));
  expect(order).toEqual(["write 1", "copy", "read", "write 2"]);
  const before = fake.log.slice(0, fake.log.indexOf("write 1")).length;
  expect(before).toBeGreaterThan(1);
  expect(fake.submits.reduce((sum, { dispatches }) => sum + dispatches, 0)).toBe(7);
});

test("after a loss, submits are half as long, and begin small", async () => {
  const fake = new FakeGpu(() => 10);
  const submitter = new Submitter(fake.gpu);
  await runPasses(fake, submitter, 2);
  const replaced = new FakeGpu(() => 10);
  await runPasses(replaced, new Submitter(replaced.gpu, submitter), 2);
  expect(replaced.submits[0]!.dispatches).toBe(1);
  expect(fake.longest).toBeGreaterThan(60);
  expect(replaced.longest).toBeLessThanOrEqual(60);
  let budget = new Submitter(fake.gpu);
  for (let losses = 0; losses < 9; losses++) budget = new Submitter(fake.gpu, budget);
  expect(budget.budgetMs).toBe(10);
});
