// Gives passes to the queue in submits of bounded time. A chunk of a large model takes seconds on a small
// GPU: in one submit, a watchdog would end it, and the page would not be drawn meanwhile. So a pass is cut
// between dispatches, by the time that they are predicted to take. Its numbers are the same.
import { TILE } from "../../kernels/index.ts";
import { type Dispatch, encode } from "./dispatch.ts";
import type { Gpu } from "./gpu.ts";

/** Milliseconds of a submit. Windows ends one after 2 s; a frame of the page waits for two. */
const BUDGET_MS = 100;
/** Budgets are not halved below: a loss may have other causes, and a submit takes time on the host. */
const MIN_BUDGET_MS = 10;
/** Submits that may always be unfinished: while the GPU computes one, it has the next. */
const MIN_QUEUED = 2;
/** The first prediction: a slow GPU's milliseconds for this work. See `workOf`. */
const FIRST = { ms: 100, work: 1e10 };
/** A measurement counts at most as so many times its prediction: the host may have slept. */
const MAX_SURPRISE = 4;

export interface PassOptions {
  /** Rows of the pass, and the rows that its dispatches were prepared for. */
  readonly rows?: { readonly T: number; readonly of: number };
  /** Encodes copies after the last dispatch. */
  readonly copy?: (encoder: GPUCommandEncoder) => void;
  /** Called after the last submit; its promise resolves when the pass is done. */
  readonly finish?: () => Promise<unknown>;
  /** Ends the pass between two submits. */
  readonly signal?: AbortSignal | undefined;
}

/** A pass, with the work of each dispatch. */
interface Pass extends PassOptions {
  readonly dispatches: readonly Dispatch[];
  readonly work: readonly number[];
  /** The share of that work that a pass of fewer rows is. */
  readonly share: number;
  readonly pace: Pace;
}

type Data = Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>;

/** A queue that keeps the order of its calls, though a pass may wait for room between two of its submits. */
export class Submitter {
  /** Milliseconds that a submit is predicted to take at most, if it has several dispatches. */
  readonly budgetMs: number;
  readonly #gpu: Gpu;
  readonly #lists = new WeakMap<readonly Dispatch[], { readonly work: number[]; readonly pace: Pace }>();
  readonly #unfinished: { readonly ms: number; readonly finished: Promise<unknown> }[] = [];
  #lastFinished = 0;
  /** Resolves when all calls so far are submitted; undefined if they are. */
  #turn: Promise<void> | undefined;

  /** @param lost the submitter of a lost device: half its budget, as a watchdog may have ended it */
  constructor(gpu: Gpu, lost?: Submitter) {
    this.#gpu = gpu;
    this.budgetMs = lost ? Math.max(MIN_BUDGET_MS, lost.budgetMs / 2) : BUDGET_MS;
  }

  writeBuffer(buffer: GPUBuffer, offset: number, data: Data): void {
    // The caller may change the data before its turn.
    const kept = this.#turn ? data.slice() : data;
    void this.#inTurn(() => {
      if (!this.#gpu.disposed) this.#gpu.device.queue.writeBuffer(buffer, offset, kept);
    });
  }

  /**
   * Submits a pass, at once if there is room for all of it.
   * @param lists run one after the other; passes that begin with the same list are predicted from each other
   * @returns resolves when all is submitted; undefined if it is. Rejects if the device is lost or
   * disposed meanwhile, or with the signal's reason. The next call is in order without waiting for it
   */
  run(lists: readonly (readonly Dispatch[])[], options: PassOptions = {}): Promise<void> | undefined {
    const { T, of } = options.rows ?? { T: 1, of: 1 };
    const known = lists.map((list) => this.#listOf(list));
    const pass: Pass = {
      ...options,
      dispatches: lists.flat(),
      work: known.flatMap(({ work }) => work),
      share: Math.ceil(T / TILE) / Math.ceil(of / TILE),
      pace: known[0]!.pace,
    };
    return this.#inTurn<void>(() => this.#submit(pass, 0)) as Promise<void> | undefined;
  }

  /** Calls `read`, which submits at once, and whose promise may take longer. */
  async read<T>(read: () => Promise<T>): Promise<T> {
    const started = this.#inTurn(() => {
      if (this.#gpu.disposed) this.#gpu.check();
      return { result: read() };
    });
    return (await started).result;
  }

  /** Resolves when all that was submitted is done. */
  done(): Promise<unknown> {
    return this.read(() => this.#gpu.device.queue.onSubmittedWorkDone());
  }

  /** Runs an operation when all before it have ended: at once if they have. */
  #inTurn<T>(operation: () => T | Promise<T>): T | Promise<T> {
    const result = this.#turn ? this.#turn.then(operation) : operation();
    if (!(result instanceof Promise)) return result;
    const ended = () => {
      if (this.#turn === turn) this.#turn = undefined;
    };
    const turn = result.then(ended, ended);
    this.#turn = turn;
    return result;
  }

  #submit(pass: Pass, first: number): Promise<void> | undefined {
    for (let at = first; at < pass.dispatches.length; ) {
      pass.signal?.throwIfAborted();
      if (this.#gpu.disposed) this.#gpu.check();
      const queuedMs = this.#unfinished.reduce((sum, { ms }) => sum + ms, 0);
      if (this.#unfinished.length >= MIN_QUEUED && queuedMs >= this.budgetMs) {
        const next = at;
        return this.#gpu.settle(this.#unfinished[0]!.finished).then(() => this.#submit(pass, next));
      }
      at = this.#submitPart(pass, at);
    }
    return undefined;
  }

  /** Submits the dispatches from `first` on that fit the budget. @returns the next one */
  #submitPart(pass: Pass, first: number): number {
    const { dispatches, work, share, pace, rows, copy, finish } = pass;
    const { device } = this.#gpu;
    const rest = work.slice(first).reduce((a, b) => a + b, 0);
    // Parts of equal size.
    const size = rest / Math.max(1, Math.ceil(pace.predict(share * rest) / this.budgetMs));
    let end = first + 1;
    let sum = work[first]!;
    for (; end < work.length && sum + work[end]! / 2 <= size; end++) sum += work[end]!;
    const isLast = end === work.length;
    const encoder = device.createCommandEncoder();
    const computePass = encoder.beginComputePass();
    encode(computePass, dispatches.slice(first, end), rows?.T);
    computePass.end();
    if (isLast) copy?.(encoder);
    device.queue.submit([encoder.finish()]);
    this.#time(pace, share * sum, isLast && finish ? finish() : device.queue.onSubmittedWorkDone());
    return end;
  }

  #time(pace: Pace, work: number, finished: Promise<unknown>): void {
    const submitted = performance.now();
    const entry = { ms: pace.predict(work), finished };
    this.#unfinished.push(entry);
    const remove = () => this.#unfinished.splice(this.#unfinished.indexOf(entry), 1);
    finished.then(() => {
      remove();
      const now = performance.now();
      // The GPU began when it had finished the submit before.
      pace.measured(work, now - Math.max(submitted, this.#lastFinished), this.budgetMs);
      this.#lastFinished = now;
    }, remove);
  }

  #listOf(list: readonly Dispatch[]) {
    const known = this.#lists.get(list) ?? { work: list.map(workOf), pace: new Pace() };
    this.#lists.set(list, known);
    return known;
  }
}

/** How long a list takes for its work, from what it took: each time counts as much as all before. */
class Pace {
  #ms = FIRST.ms;
  #work = FIRST.work;

  predict(work: number): number {
    return (work * this.#ms) / this.#work;
  }

  measured(work: number, ms: number, budgetMs: number): void {
    const most = Math.max(MAX_SURPRISE * this.predict(work), budgetMs);
    this.#ms = this.#ms / 2 + Math.min(ms, most);
    this.#work = this.#work / 2 + work;
  }
}

/**
 * What the dispatches of a list take in relation to each other: floating-point operations, and as if a
 * workgroup did 2^14 more. Long contexts are left to the measurements.
 */
function workOf({ kernel, size, workgroups }: Dispatch): number {
  const { T = 1 }: { T?: number } = size;
  const [x, y = 1, z = 1] = workgroups;
  return (kernel.cost?.(size, T - 1).flops ?? 0) + 2 ** 14 * x * y * z;
}
