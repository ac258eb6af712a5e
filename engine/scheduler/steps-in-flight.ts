// The steps that were submitted and not received yet: enough that the GPU never waits for the host, and no
// more, since steps past the end of an answer are wasted.
import { STEPS_IN_FLIGHT } from "../graph/shape.ts";

/** The GPU computes one step while the host handles the one before. */
const INITIAL_DEPTH = 2;
/** Steps that a depth is judged by, and the slowest of them that do not count: a prompt came between. */
const JUDGED = 16;
const OUTLIERS = 2;
/** One step more is kept if steps then take at most this share of the time. */
const KEPT_SHARE = 0.97;
/** Steps until one more is tried again. The time of a step and the latency of the host change. */
const TRIAL_INTERVAL = 256;

interface Step<T> {
  readonly result: Promise<T>;
  done: boolean;
}

export class StepsInFlight<T = unknown> {
  readonly #pending: Step<T>[] = [];
  #depth = INITIAL_DEPTH;
  /** Milliseconds from one arrival to the next, at this depth. */
  #times: number[] = [];
  #lastArrival: number | undefined;
  /** Steps that have not arrived. */
  #flying = 0;
  /** Mean time of a step with one less in flight: set while this depth is on trial. */
  #before: number | undefined;
  /** Steps that are not judged: they were submitted at another depth, or no trial is due. */
  #unjudged = 0;
  #rows = 0;

  get hasRoom(): boolean {
    return this.#pending.length < this.#depth;
  }

  get isEmpty(): boolean {
    return this.#pending.length === 0;
  }

  /**
   * To be called when none is in flight. Steps of other numbers of rows take other times: a trial starts
   * anew.
   */
  setRows(count: number): void {
    if (count === this.#rows) return;
    this.#rows = count;
    if (this.#before !== undefined) this.#setDepth(this.#depth - 1);
    this.#times = [];
  }

  submit(result: Promise<T>): void {
    const step: Step<T> = { result, done: false };
    const landed = () => {
      step.done = true;
      this.#arrived();
    };
    // The result is awaited later, after the steps before it: until then a rejection is handled here.
    result.then(landed, landed);
    this.#pending.push(step);
    this.#flying++;
  }

  /**
   * The oldest result. If all later ones have arrived too, the GPU was idle: from then on one more step is
   * kept in flight.
   */
  async next(): Promise<T> {
    const result = await this.#pending.shift()!.result;
    const wasIdle = this.#pending.length > 0 && this.#pending.every(({ done }) => done);
    if (wasIdle && this.#depth < STEPS_IN_FLIGHT) this.#setDepth(this.#depth + 1);
    return result;
  }

  /** Resolves when all have settled, well or not. */
  async landed(): Promise<void> {
    await Promise.allSettled(this.#pending.map(({ result }) => result));
  }

  /**
   * Judges the depth by the time between arrivals. A GPU that waits for the host cannot be told
   * from a busy one: in both cases results come at equal distances. So now and then one step more is tried.
   */
  #arrived(): void {
    const now = performance.now();
    const last = this.#lastArrival;
    // Only while the host keeps as many in flight as it may: a reader may be slow, or an answer at its end.
    const isFull = this.#flying-- === this.#depth;
    this.#lastArrival = isFull ? now : undefined;
    if (!isFull || last === undefined) return;
    if (this.#unjudged > 0) {
      this.#unjudged--;
      return;
    }
    this.#times.push(now - last);
    if (this.#times.length < JUDGED) return;
    const counted = this.#times.sort((a, b) => a - b).slice(0, -OUTLIERS);
    const mean = counted.reduce((a, b) => a + b) / counted.length;
    if (this.#before !== undefined && mean > KEPT_SHARE * this.#before) {
      this.#setDepth(this.#depth - 1);
      this.#unjudged = TRIAL_INTERVAL;
    } else if (this.#depth < STEPS_IN_FLIGHT) {
      this.#setDepth(this.#depth + 1);
      this.#before = mean;
    } else {
      this.#before = undefined;
      this.#unjudged = TRIAL_INTERVAL;
      this.#times = [];
    }
  }

  #setDepth(depth: number): void {
    this.#depth = depth;
    this.#before = undefined;
    this.#times = [];
    this.#unjudged = depth;
  }
}
