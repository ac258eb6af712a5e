// Who is answered now, who waits, who is sent away. A request holds one place in line, however many answers it wants: when one may
// start, the request in front starts one of its own and goes to the end of the line with the others.
import { HttpError } from "./errors.ts";

export interface AdmissionOptions {
  /** AdmittedModel that run at once. */
  readonly parallel: number;
  /** Requests that may wait for one of those places. */
  readonly queue: number;
}

/** The right to one answer. */
export interface Permit {
  /** When it is this answer's turn. Rejects with the signal's reason. */
  readonly turn: Promise<void>;
  /** The answer is over, or nobody wants it any more. Any number of times. */
  release(): void;
}

/** A request in line: what its answers that have not begun wait for, in order. */
interface Waiter {
  starts: (() => void)[];
}

export class Admission {
  readonly parallel: number;
  readonly capacity: number;
  #running = 0;
  #moves = 0;
  #line: Waiter[] = [];
  #draining = false;
  #onIdle: (() => void)[] = [];

  constructor({ parallel, queue }: AdmissionOptions) {
    this.parallel = parallel;
    this.capacity = queue;
  }

  get running(): number {
    return this.#running;
  }

  /** How often a place was taken or left. */
  get moves(): number {
    return this.#moves;
  }

  /** Requests in line. */
  get waiting(): number {
    return this.#line.length;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Whether one more request would be taken. */
  get open(): boolean {
    return !this.#draining && this.#room >= 1;
  }

  /**
   * The right to `count` answers, each in its turn.
   * @throws HttpError 429 where the queue is full, 503 while the server ends
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
    if (waiter.starts.length > 0) this.#line.push(waiter);
    this.#next();
    return permits;
  }

  /** Takes no more answers. Resolves when none runs or waits. */
  async drain(): Promise<void> {
    this.#draining = true;
    if (this.#running + this.waiting === 0) return;
    await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  get #room(): number {
    return this.parallel + this.capacity - this.#running - this.#line.length;
  }

  #permit(waiter: Waiter, signal: AbortSignal): Permit {
    let state: "waiting" | "running" | "over" = "waiting";
    const { promise: turn, resolve, reject } = deferred();
    // Whoever leaves the line may never have looked.
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
        if (waiter.starts.length === 0) this.#line = this.#line.filter((each) => each !== waiter);
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
      const [waiter] = this.#line.splice(0, 1);
      const start = waiter?.starts.shift();
      if (!waiter || !start) break;
      // Behind the others: no request keeps them waiting for all of its answers.
      if (waiter.starts.length > 0) this.#line.push(waiter);
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
