// Nudges, on a simulated clock and browsers that look at the GPU in different ways.
import { expect, test } from "vitest";
import { borrowDevice } from "../../engine/gpu/gpu.ts";
import { type Clock, nudgeIfItHelps } from "../../engine/gpu/nudge.ts";
import { randomU32 } from "../../engine/tuning/random.ts";

/** When a browser settles a wait that began now, for work that ends at `end`. Milliseconds. */
type Looks = (now: number, end: number) => number;

const next = (now: number, period: number, phase: number) =>
  Math.ceil((now - phase) / period) * period + phase;
const notice = 0.3;
const chrome: Looks = (now, end) => Math.max(now, end) + notice;
const firefox =
  (phase: number): Looks =>
  (now, end) =>
    next(Math.max(now, end) + 0.01, 100, phase) + notice;
/** Looks every 11 ms from the beginning of the wait. */
const deno: Looks = (now, end) => next(Math.max(now + 1, end), 11, now);
const busy = (): Looks => {
  const random = randomU32();
  return (now, end) => Math.max(now, end) + 3 + (random() / 2 ** 32) * 57;
};

class Simulation implements Clock {
  timerMs = 0;
  submits = 0;
  device: GPUDevice;
  #now = 0;
  #workEnds = 0;
  readonly #events: { at: number; run(): void }[] = [];
  #lose: () => void = () => {};

  /** @param seesSubmits whether the browser looks when something is submitted, too */
  constructor(looks: Looks, seesSubmits: boolean) {
    let waiting: { readonly end: number; resolve(): void }[] = [];
    const look = () => {
      for (const { end, resolve } of waiting) if (end <= this.#now) resolve();
      waiting = waiting.filter(({ end }) => end > this.#now);
    };
    const queue = {
      onSubmittedWorkDone: () =>
        new Promise<void>((resolve) => {
          waiting.push({ end: this.#workEnds, resolve });
          this.#at(looks(this.#now, this.#workEnds), resolve);
        }),
      submit: () => {
        this.submits++;
        if (seesSubmits) this.#at(this.#now + notice, look);
      },
    };
    this.device = {
      queue,
      lost: new Promise<void>((resolve) => {
        this.#lose = resolve;
      }),
      pushErrorScope() {},
      popErrorScope: () => this.#after(notice),
    } as unknown as GPUDevice;
  }

  now(): number {
    return this.#now;
  }
  turn(): Promise<void> {
    return this.#after(0.05);
  }
  sleep(ms: number): Promise<void> {
    return this.#after(Math.max(ms, this.timerMs));
  }
  lose(): void {
    this.#lose();
  }
  /** Submits work of so many milliseconds. */
  work(ms: number): Promise<undefined> {
    this.#workEnds = Math.max(this.#now, this.#workEnds) + ms;
    return this.device.queue.onSubmittedWorkDone();
  }
  /** Lets time go by until `result` settles. */
  async until<T>(result: Promise<T>): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    result.then(settle, settle);
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (settled) return result;
      const event = this.#events.shift();
      if (!event) throw new Error("Nothing will happen any more.");
      this.#now = event.at;
      event.run();
    }
  }
  pass(ms: number): Promise<void> {
    return this.until(this.#after(ms));
  }
  #after(ms: number): Promise<void> {
    return new Promise((resolve) => this.#at(this.#now + ms, resolve));
  }
  #at(at: number, run: () => void): void {
    this.#events.push({ at, run });
    this.#events.sort((a, b) => a.at - b.at);
  }
}

async function nudged(phase = 50) {
  const simulation = new Simulation(firefox(phase), true);
  const nudge = await simulation.until(nudgeIfItHelps(simulation.device, simulation));
  if (!nudge) throw new Error("Nudges help here.");
  /** Milliseconds that a wait for so much work takes. */
  const wait = async (ms: number) => {
    const began = simulation.now();
    const work = simulation.work(ms);
    nudge.during(work);
    await simulation.until(work);
    return simulation.now() - began;
  };
  return { simulation, nudge, wait };
}

test("a browser that looks every 100 ms or when something is submitted is nudged, whenever it looks first", async () => {
  for (let phase = 0; phase < 100; phase += 4) {
    const simulation = new Simulation(firefox(phase), true);
    simulation.timerMs = phase % 8 === 0 ? 0 : 1000; // The page may be hidden.
    expect(await simulation.until(nudgeIfItHelps(simulation.device, simulation)), `${phase}`).toBeDefined();
    expect(simulation.now()).toBeLessThan(90);
  }
});

test.each([
  ["one that tells at once", chrome, 1],
  ["one that looks every 11 ms", deno, 70],
  ["one that is busy", busy(), 200],
])("%s is not", async (_, looks, most) => {
  for (let i = 0; i < 20; i++) {
    const simulation = new Simulation(looks, false);
    expect(await simulation.until(nudgeIfItHelps(simulation.device, simulation))).toBeUndefined();
    expect(simulation.now()).toBeLessThan(most);
  }
});

test("a wait ends with its work, and then nothing is submitted any more", async () => {
  const { simulation, wait } = await nudged();
  for (const ms of [0, 3, 27, 60]) expect(await wait(ms)).toBeLessThan(ms * 1.1 + 2.5);
  await simulation.pass(50);
  const { submits } = simulation;
  await simulation.pass(1000);
  expect(simulation.submits).toBe(submits);
});

test("a long wait is nudged less often", async () => {
  const { simulation, wait } = await nudged();
  const { submits } = simulation;
  expect(await wait(5000)).toBeLessThan(5000 + 5000 / 16 + 2);
  expect(simulation.submits - submits).toBeLessThan(120);
});

test("waits in a hidden page are nudged without timers, and with timers when it is shown again", async () => {
  const { simulation, wait } = await nudged();
  simulation.timerMs = 1000;
  while (simulation.now() < 2500) await wait(10);
  for (let i = 0; i < 20; i++) expect(await wait(10)).toBeLessThan(12);
  simulation.timerMs = 0;
  await simulation.pass(1100);
  await wait(10);
  const { submits } = simulation;
  expect(await wait(50)).toBeLessThan(53);
  expect(simulation.submits - submits).toBeLessThan(50);
});

test("nothing is submitted to a lost device, even if a wait never ends", async () => {
  for (const timerMs of [0, 1000]) {
    const { simulation, nudge } = await nudged();
    simulation.timerMs = timerMs;
    nudge.during(simulation.work(1e9));
    await simulation.pass(3000);
    simulation.lose();
    await simulation.pass(1500);
    const { submits } = simulation;
    await simulation.pass(5000);
    expect(simulation.submits).toBe(submits);
  }
});

test("settle nudges where that was found to help, and only there", async () => {
  /** `looking`: settles waits at once. If not, a wait settles only if something is submitted after it. */
  const open = (looking: boolean) => {
    let submits = 0;
    const waiting: (() => void)[] = [];
    const queue = {
      onSubmittedWorkDone: () =>
        looking ? Promise.resolve() : new Promise<void>((resolve) => waiting.push(resolve)),
      submit() {
        submits++;
        for (const resolve of waiting.splice(0)) resolve();
      },
    };
    const device = { queue, addEventListener() {}, lost: new Promise(() => {}), limits: {} };
    const known = { adapterInfo: { device: "fake", architecture: "" }, features: new Set() };
    const gpu = borrowDevice({ ...device, ...known } as unknown as GPUDevice);
    return { gpu, queue, submits: () => submits };
  };
  const nudged = open(false);
  await nudged.gpu.learnToWait();
  await nudged.gpu.settle(nudged.queue.onSubmittedWorkDone());
  const told = open(true);
  await told.gpu.learnToWait();
  await told.gpu.settle(new Promise((resolve) => setTimeout(resolve, 30)));
  expect(told.submits()).toBe(0);
}, 20_000);
