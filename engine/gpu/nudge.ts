// Nudges a queue. Firefox looks whether GPU work is done only when something is submitted, or after 100 ms
// (https://bugzilla.mozilla.org/show_bug.cgi?id=1870699), so as long as somebody waits, an empty list is
// submitted about every millisecond. Each waits until the browser has taken the one before: a browser that is
// busy, or a driver whose submits wait for the work before them, gets no more than it handles.
import { turn } from "../turn.ts";

/** Milliseconds without a nudge. Different ones: a browser that looks every so often could match one. */
const ALONE_MS = [4, 8, 16, 12, 20, 6, 10, 18];
/** So many waits must be ended by a nudge; or as many in a row as the second number must end without one. */
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

/**
 * Tries waits for an idle queue. Whether a nudge ended one is decided by the order of replies, not by a
 * clock: a busy browser may reply late, but it replies in order.
 * @returns undefined if waits on this device end as soon without nudges. Its queue should be idle
 */
export async function nudgeIfItHelps(device: GPUDevice, clock = realClock): Promise<Nudge | undefined> {
  let helped = 0;
  let notNeeded = 0;
  for (const alone of ALONE_MS) {
    let ended = false;
    const end = () => {
      ended = true;
    };
    device.queue.onSubmittedWorkDone().then(end, end);
    for (const until = clock.now() + alone; !ended && clock.now() < until; ) await clock.turn();
    if (!ended) await roundTrip(device, clock);
    if (ended) {
      // Two in a row: the look after 100 ms may end one, but then the next has all of the 100 ms.
      if (++notNeeded === NOT_NEEDED) return undefined;
      continue;
    }
    notNeeded = 0;
    device.queue.submit([]);
    await roundTrip(device, clock);
    if (ended && ++helped === HELPED) return new Nudge(device, clock);
  }
  return undefined;
}

/**
 * Until the browser has handled all calls so far: a fraction of a millisecond if it is idle, whether or not
 * timers are throttled, and without keeping a core busy.
 */
async function roundTrip(device: GPUDevice, clock: Clock): Promise<void> {
  device.pushErrorScope("validation");
  await device.popErrorScope().catch(() => {});
  // The call above may return at once if the device is lost: the notice of it has to come through.
  await clock.turn();
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
    for (;;) {
      await this.#pause();
      if (this.#waits === 0 || this.#lost) break;
      // The submit that began a wait made the browser look, and a look ended one.
      if (this.#clock.now() - this.#since < PERIOD_MS) continue;
      this.#device.queue.submit([]);
      await roundTrip(this.#device, this.#clock);
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
    return this.#throttled ? Promise.race([this.#timer, roundTrip(this.#device, this.#clock)]) : this.#timer;
  }
}
