// How many decode steps are queued on the GPU: as few as keep it busy.
import { expect, test, vi } from "vitest";
import { STEPS_IN_FLIGHT } from "../../engine/graph/shape.ts";
import { StepsInFlight } from "../../engine/scheduler/steps-in-flight.ts";

/** A GPU whose steps finish when the test says so. */
class Steps {
  readonly #finish: ((id: number) => void)[] = [];
  submitted = 0;

  submit = (): Promise<number> => {
    this.submitted++;
    return new Promise((resolve) => this.#finish.push(resolve));
  };

  async finish(count: number): Promise<void> {
    for (const resolve of this.#finish.splice(0, count)) resolve(7);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

function fill(flight: StepsInFlight, steps: Steps): number {
  const before = steps.submitted;
  while (flight.hasRoom) flight.submit(steps.submit());
  return steps.submitted - before;
}

test("a GPU slower than the host is never more than two steps ahead", async () => {
  const [flight, steps] = [new StepsInFlight(), new Steps()];
  expect(fill(flight, steps)).toBe(2);
  for (let token = 0; token < 10; token++) {
    await steps.finish(1);
    expect(await flight.next()).toBe(7);
    expect(fill(flight, steps)).toBe(1);
  }
});

test("a GPU that runs dry gets more steps, up to a bound", async () => {
  const [flight, steps] = [new StepsInFlight(), new Steps()];
  const ahead: number[] = [];
  for (let token = 0; token < 6; token++) {
    fill(flight, steps);
    ahead.push(steps.submitted - token);
    await steps.finish(STEPS_IN_FLIGHT);
    await flight.next();
  }
  expect(ahead).toEqual([2, 3, 4, 4, 4, 4].map((depth) => Math.min(depth, STEPS_IN_FLIGHT)));
});

test("steps that fail unawaited cause no unhandled rejections, and all are awaited at the end", async () => {
  const flight = new StepsInFlight();
  flight.submit(Promise.reject(new Error("lost")));
  flight.submit(Promise.resolve(1));
  await new Promise((resolve) => setTimeout(resolve, 0));
  await flight.landed();
  await expect(flight.next()).rejects.toThrow("lost");
});

/** When a third step is first in flight, the rows become as many, and a token takes `tau` ms. */
interface Change {
  readonly rows: readonly [number, number];
  readonly tau: number;
}

/**
 * Decodes on a GPU that takes `tau` ms a token, S ms after the host submits it, and L ms before the host sees
 * it. @returns milliseconds a token at the end, and the steps in flight at each token
 */
async function decode(tau: number, L: number, S: number, tokens: number, other?: Change) {
  vi.useFakeTimers();
  const flight = new StepsInFlight();
  let [freeAt, submitted] = [0, 0];
  const depths: number[] = [];
  const arrivals: number[] = [];
  let changed = false;
  flight.setRows(other?.rows[0] ?? 1);
  const step = () => {
    submitted++;
    const now = performance.now();
    freeAt = Math.max(freeAt, now + S) + (changed && other ? other.tau : tau);
    return new Promise((resolve) => setTimeout(resolve, freeAt + L - now));
  };
  const running = (async () => {
    for (let token = 0; token < tokens; token++) {
      while (flight.hasRoom) flight.submit(step());
      depths.push(submitted - token);
      await flight.next();
      arrivals.push(performance.now());
      if (!other || changed || depths.at(-1) !== 3) continue;
      for (; !flight.isEmpty; token++) await flight.next();
      flight.setRows(other.rows[1]);
      changed = true;
    }
  })();
  await vi.runAllTimersAsync();
  await running;
  vi.useRealTimers();
  const last = 200;
  return { ms: (arrivals.at(-1)! - arrivals.at(-1 - last)!) / last, depths };
}

test.each([
  [3, 3, 1],
  [2, 2, 1],
  [1.6, 2, 1],
])("%d ms a token, %d ms to the host, %d ms back: as many steps as keep the GPU busy", async (tau, L, S) => {
  // Fake timers count whole milliseconds: these are ten times as long.
  const { ms, depths } = await decode(10 * tau, 10 * L, 10 * S, 400);
  expect(ms).toBeLessThanOrEqual(10.2 * tau);
  expect(depths[0]).toBe(2);
  expect(depths.at(-1)).toBe(3);
});

test("a GPU that two steps keep busy gets a third only to try", async () => {
  const { ms, depths } = await decode(30, 1, 1, 500);
  expect(ms).toBeLessThanOrEqual(30.6);
  expect(depths.at(-1)).toBe(2);
  expect(depths.filter((depth) => depth > 2).length).toBeLessThan(60);
});

test("a trial during which the rows become fewer keeps no step that helps nothing", async () => {
  const { depths } = await decode(30, 1, 1, 300, { rows: [8, 1], tau: 10 });
  expect(depths).toContain(3);
  expect(depths.at(-1)).toBe(2);
});

test("a trial during which the rows become more gives up no step that helps", async () => {
  const { ms, depths } = await decode(160, 200, 100, 300, { rows: [1, 8], tau: 240 });
  expect(depths.at(-1)).toBe(3);
  expect(ms).toBeLessThanOrEqual(246);
});
