// Nudges, on a simulated clock and browsers that look at the GPU in different ways.
import { expect, test, vi } from "vitest";
import { borrowDevice } from "../../engine/gpu/gpu.ts";
import { type Clock, type Nudge, nudgeIfItHelps } from "../../engine/gpu/nudge.ts";
import { STEPS_IN_FLIGHT } from "../../engine/graph/shape.ts";
import { StepsInFlight } from "../../engine/scheduler/steps-in-flight.ts";
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
function jitter(least: number, most: number): () => number {
  const random = randomU32();
  return () => least + (random() / 2 ** 32) * (most - least);
}
const busy = (): Looks => {
  const late = jitter(3, 60);
  return (now, end) => Math.max(now, end) + late();
};

class Simulation implements Clock {
  timerMs = 0;
  submits = 0;
  /** Milliseconds until the browser handles a call. It handles calls in order. */
  delay = () => notice;
  device: GPUDevice;
  #handled = 0;
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
          this.#at(Math.max(looks(this.#now, this.#workEnds), this.#handledAt()), resolve);
        }),
      submit: () => {
        this.submits++;
        const at = this.#handledAt();
        if (seesSubmits) this.#at(at, look);
      },
    };
    this.device = {
      queue,
      lost: new Promise<void>((resolve) => {
        this.#lose = resolve;
      }),
      pushErrorScope() {},
      popErrorScope: () => this.#after(this.#handledAt() - this.#now),
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
  /** Submits work of so many milliseconds, as its own submit. */
  step(ms: number): Promise<undefined> {
    this.device.queue.submit([]);
    return this.work(ms);
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
  /** When the browser handles a call that is made now. */
  #handledAt(): number {
    this.#handled = Math.max(this.#handled, this.#now + this.delay());
    return this.#handled;
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

test("one that is busy meanwhile is nudged", async () => {
  for (let phase = 0; phase < 100; phase += 4) {
    const simulation = new Simulation(firefox(phase), true);
    simulation.delay = jitter(5, 30);
    expect(await simulation.until(nudgeIfItHelps(simulation.device, simulation)), `${phase}`).toBeDefined();
    expect(simulation.now()).toBeLessThan(500);
  }
});

const every10: Looks = (now, end) => next(Math.max(now, end) + 0.01, 10, 3) + notice;
const instant = () => notice;
test.each([
  ["one that tells at once", chrome, instant, 1],
  ["one that tells at once, but is busy", chrome, jitter(5, 30), 75],
  ["one that looks every 11 ms", deno, instant, 70],
  ["one that looks every 10 ms", every10, instant, 90],
  ["one that looks every 10 ms, and is busy", every10, jitter(5, 30), 250],
  ["one whose waits end at any time", busy(), instant, 200],
])("%s is not", async (_, looks, delay, most) => {
  for (let i = 0; i < 20; i++) {
    const simulation = new Simulation(looks, looks === every10);
    simulation.delay = delay;
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

test("a driver whose submits wait for the work before them is nudged once a wait", async () => {
  const { simulation, wait } = await nudged();
  for (const ms of [20, 60]) {
    const { submits } = simulation;
    const until = simulation.now() + ms;
    simulation.delay = () => Math.max(notice, until - simulation.now());
    expect(await wait(ms)).toBeLessThan(ms + 2);
    await simulation.pass(20);
    expect(simulation.submits - submits).toBe(1);
  }
});

test.each([5, 16, 50])(
  "steps of %d ms are received one by one, not all that ended in 100 ms",
  async (tau) => {
    const decode = async (nudge?: Nudge, simulation = new Simulation(firefox(50), true)) => {
      const time = vi.spyOn(performance, "now").mockImplementation(() => simulation.now());
      const [flight, arrivals]: [StepsInFlight, number[]] = [new StepsInFlight(), []];
      const { submits } = simulation;
      while (arrivals.length < 400) {
        while (flight.hasRoom) {
          const step = simulation.step(tau);
          nudge?.during(step);
          flight.submit(step);
        }
        await simulation.until(flight.next());
        arrivals.push(simulation.now());
      }
      time.mockRestore();
      const gaps = arrivals.slice(-200).map((at, i) => at - arrivals[199 + i]!);
      return {
        ms: gaps.reduce((a, b) => a + b) / 200,
        longest: Math.max(...gaps),
        nudges: (simulation.submits - submits) / 400 - 1,
      };
    };
    const without = await decode();
    const { nudge, simulation } = await nudged();
    const withNudges = await decode(nudge, simulation);
    expect(without.ms).toBeGreaterThan(Math.max(tau, 100 / STEPS_IN_FLIGHT) - 0.1);
    expect(without.longest).toBeGreaterThan(99);
    expect(withNudges.ms).toBeLessThan(1.01 * tau);
    expect(withNudges.longest).toBeLessThan(1.1 * tau);
    expect(withNudges.nudges).toBeLessThan(tau);
  },
);

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
    const scopes = { pushErrorScope() {}, popErrorScope: async () => null };
    const device = { queue, ...scopes, addEventListener() {}, lost: new Promise(() => {}), limits: {} };
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
