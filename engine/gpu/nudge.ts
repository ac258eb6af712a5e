// Nudges a queue. Firefox looks whether GPU work is done only when something is submitted, or after 100 ms:
// https://bugzilla.mozilla.org/show_bug.cgi?id=1870699
import { turn } from "../turn.ts";

/** Milliseconds without a nudge. Different ones: a browser that looks every so often could match one. */
const ALONE_MS = [4, 8, 16, 12, 20];
/** Milliseconds from a nudge to the end of a wait that it ended. */
const PROMPT_MS = 4;
/** So many waits must be ended by a nudge; or as many as the second number must end without one. */
const [HELPED, NOT_NEEDED] = [3, 2];

/** Milliseconds between nudges, or this part of the time that the wait has taken, if it is more. */
const PERIOD_MS = 1;
const PERIOD_PART = 1 / 16;
/** A timer that is late by as many milliseconds is throttled: the page is hidden. */
const LATE_MS = 50;

/** Time, which tests replace. Milliseconds. */
export interface Clock {
  now(): number;
  turn(): Promise<void>;
  sleep(ms: number): Promise<void>;
}

const realClock: Clock = {
  now: () => performance.now(),
  turn,
  async sleep(ms) {
    // A timer that was started by a timer's task waits 4 ms or more.
    await turn();
    await new Promise((resolve) => setTimeout(resolve, ms));
  },
};

/** @returns undefined if waits on this device end as soon without nudges. Its queue should be idle */
export async function nudgeIfItHelps(device: GPUDevice, clock = realClock): Promise<Nudge | undefined> {
  let helped = 0;
  let notNeeded = 0;
  for (const alone of ALONE_MS) {
    let ended = false;
    const end = () => {
      ended = true;
    };
    device.queue.onSubmittedWorkDone().then(end, end);
    const endsWithin = async (ms: number) => {
      for (const until = clock.now() + ms; !ended && clock.now() < until; ) await clock.turn();
      return ended;
    };
    if (await endsWithin(alone)) {
      if (++notNeeded === NOT_NEEDED) return undefined;
      continue;
    }
    device.queue.submit([]);
    if ((await endsWithin(PROMPT_MS)) && ++helped === HELPED) return new Nudge(device, clock);
  }
  return undefined;
}

/** Submits nothing to a queue from time to time, as long as somebody waits for it. */
export class Nudge {
  readonly #device: GPUDevice;
  readonly #clock: Clock;
  #lost = false;
  #waits = 0;
  /** When a wait began or ended last. */
  #since = 0;
  #timer: Promise<void> | undefined;
  #throttled = false;
  #running = false;

  constructor(device: GPUDevice, clock: Clock) {
    this.#device = device;
    this.#clock = clock;
    void device.lost.then(() => {
      this.#lost = true;
    });
  }

  /** Nudges until `work` settles. */
  during(work: Promise<unknown>): void {
    this.#waits++;
    this.#since = this.#clock.now();
    const settled = () => {
      this.#waits--;
      this.#since = this.#clock.now();
    };
    work.then(settled, settled);
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waits > 0 && !this.#lost) {
      this.#device.queue.submit([]);
      await this.#pause();
    }
    this.#running = false;
  }

  #pause(): Promise<unknown> {
    const began = this.#clock.now();
    const ms = Math.max(PERIOD_MS, (began - this.#since) * PERIOD_PART);
    this.#timer ??= this.#clock.sleep(ms).then(() => {
      this.#throttled = this.#clock.now() - began > ms + LATE_MS;
      this.#timer = undefined;
    });
    return this.#throttled ? Promise.race([this.#timer, this.#roundTrip()]) : this.#timer;
  }

  /** A fraction of a millisecond, whether or not timers are throttled, and without keeping a core busy. */
  async #roundTrip(): Promise<void> {
    this.#device.pushErrorScope("validation");
    await this.#device.popErrorScope().catch(() => {});
    // The call above may return at once if the device is lost: the notice of it has to come through.
    await this.#clock.turn();
  }
}
