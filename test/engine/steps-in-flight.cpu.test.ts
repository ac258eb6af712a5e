// How many decode steps are queued on the GPU: as few as keep it busy.
import { expect, test } from "vitest";
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
