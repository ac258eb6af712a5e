// Admission: which answers run now, which requests wait, which are refused. A request has one place in the
// queue, however many answers it wants. When a slot is free, the first request starts one answer and moves to
// the end of the queue.
import { HttpError } from "./errors.ts";

export interface AdmissionOptions {
  /** Slots: answers that run at once. */
  readonly parallel: number;
  /** Requests that may wait for a slot. */
  readonly queue: number;
}

/** The right to run one answer. */
export interface Permit {
  /** Resolves when the answer may start. Rejects with the signal's reason. */
  readonly turn: Promise<void>;
  /** Call it when the answer has ended or is not wanted any more. May be called several times. */
  release(): void;
}

/** A request in the queue: starts its answers that have not begun, in order. */
interface Waiter {
  starts: (() => void)[];
}

export class Admission {
  readonly parallel: number;
  readonly capacity: number;
  #running = 0;
  #moves = 0;
  #queue: Waiter[] = [];
  #draining = false;
  #onIdle: (() => void)[] = [];

  constructor({ parallel, queue }: AdmissionOptions) {
    this.parallel = parallel;
    this.capacity = queue;
  }

  get running(): number {
    return this.#running;
  }

  /** How often a slot was taken or released so far. */
  get moves(): number {
    return this.#moves;
  }

  /** Requests in the queue. */
  get waiting(): number {
    return this.#queue.length;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Whether a new request would be accepted. */
  get open(): boolean {
    return !this.#draining && this.#room >= 1;
  }

  /**
   * Permits for `count` answers.
   * @throws HttpError 429 if the queue is full, 503 while the server shuts down
   */
  admit(count: number, signal: AbortSignal): Permit[] {
    if (this.#draining)
      throw new HttpError(503, "This server is shutting down. Ask another.", {
        code: "shutting_down",
        headers: { "Retry-After": "1" },
      });
    if (this.#room < 1)
      throw new HttpError(
        429,
        `The queue is full: ${this.#running} answers run, ${this.waiting} of ${this.capacity} places are taken. Try again soon.`,
        { code: "queue_full", headers: { "Retry-After": "1" } },
      );
    const waiter: Waiter = { starts: [] };
    const permits = Array.from({ length: count }, () => this.#permit(waiter, signal));
    if (waiter.starts.length > 0) this.#queue.push(waiter);
    this.#next();
    return permits;
  }

  /** Accepts no more requests. Resolves when no answer runs or waits. */
  async drain(): Promise<void> {
    this.#draining = true;
    if (this.#running + this.waiting === 0) return;
    await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  get #room(): number {
    return this.parallel + this.capacity - this.#running - this.#queue.length;
  }

  #permit(waiter: Waiter, signal: AbortSignal): Permit {
    let state: "waiting" | "running" | "over" = "waiting";
    const { promise: turn, resolve, reject } = deferred();
    // A request that left the queue may not be listening.
    turn.catch(() => {});
    const start = (): void => {
      state = "running";
      this.#running++;
      this.#moves++;
      signal.removeEventListener("abort", abort);
      resolve();
    };
    const release = (): void => {
      if (state === "running") {
        this.#running--;
        this.#moves++;
      }
      if (state === "waiting") {
        waiter.starts = waiter.starts.filter((each) => each !== start);
        if (waiter.starts.length === 0) this.#queue = this.#queue.filter((each) => each !== waiter);
      }
      state = "over";
      signal.removeEventListener("abort", abort);
      this.#next();
    };
    const abort = (): void => {
      release();
      reject(signal.reason);
    };
    if (signal.aborted) {
      abort();
    } else {
      waiter.starts.push(start);
      signal.addEventListener("abort", abort);
    }
    return { turn, release };
  }

  #next(): void {
    while (this.#running < this.parallel) {
      const [waiter] = this.#queue.splice(0, 1);
      const start = waiter?.starts.shift();
      if (!waiter || !start) break;
      // To the end, so that one request does not block the others with all its answers.
      if (waiter.starts.length > 0) this.#queue.push(waiter);
      start();
    }
    if (this.#running + this.waiting > 0) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (reason: unknown) => void } {
  let resolve = (): void => {};
  let reject = (_reason: unknown): void => {};
  const promise = new Promise<void>((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  return { promise, resolve, reject };
}
