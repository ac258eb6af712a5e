// Continuous batching: one loop runs rounds while there is work. Between rounds sequences and tasks join and
// leave. The scheduler decides who takes part; StepPlanner decides what a round submits to the GPU.
import type { Activity } from "../api.ts";
import { Gate } from "../gate.ts";
import { checkIds } from "../graph/prompt-ids.ts";
import type { DeviceRecovery } from "../resident/device-recovery.ts";
import type { GpuModel } from "../resident/gpu-model.ts";
import type { Lease } from "../store/lock.ts";
import { ExclusiveTask, type RingChoice, type TaskBody, type TaskOptions } from "./exclusive-task.ts";
import { leastForced } from "./least-forced.ts";
import type { RingPool } from "./ring-pool.ts";
import { Sequence, type SequenceOptions } from "./sequence.ts";
import { StepPlanner } from "./step-planner.ts";
import { WaitQueue } from "./wait-queue.ts";

export class Scheduler {
  readonly #recovery: DeviceRecovery;
  readonly #rings: RingPool;
  readonly #lease: Lease | undefined;
  readonly #planner: StepPlanner;
  readonly #queue = new WaitQueue<Sequence | ExclusiveTask>();
  readonly #sequences: Sequence[] = [];
  readonly #tasks: ExclusiveTask[] = [];
  #loop: Promise<void> | undefined;
  /** Opens when there may be something to do. */
  readonly #news = new Gate();
  /** Aborted when nobody is left to wait for a lost device. */
  #needed = new AbortController();

  /** @param lease nobody begins after it ends */
  constructor(recovery: DeviceRecovery, rings: RingPool, lease?: Lease) {
    this.#recovery = recovery;
    this.#rings = rings;
    this.#lease = lease;
    this.#planner = new StepPlanner(rings);
  }

  /** @throws DeviceLostError after the model is disposed, ModelInUseError after its lease was taken over */
  check(): void {
    this.#lease?.signal.throwIfAborted();
    this.#recovery.check();
  }

  /**
   * Waits for a ring. The caller reads the sequence and ends it with `leave`.
   * @throws RangeError if the prompt is empty or has an id outside the vocabulary; as `check`; the signal's
   * reason
   */
  async join(options: SequenceOptions): Promise<Sequence> {
    const { V, kernels } = this.#recovery.last.decoder.shape;
    checkIds(options.prompt, V, "prompt");
    const sequence = new Sequence(options, this.#news, leastForced(kernels.matmul));
    try {
      await this.#enter(sequence);
      return sequence;
    } catch (error) {
      sequence.close();
      throw error;
    }
  }

  /**
   * Ends a sequence. Its ring keeps the prompt and `answer`, the tokens that were used, until somebody needs
   * the ring.
   */
  async leave(sequence: Sequence, answer: readonly number[]): Promise<void> {
    sequence.close();
    if (!this.#sequences.includes(sequence)) return;
    const { ring, submitted, submittedEnd, options } = sequence;
    if (submitted > 0) ring.commit([...options.prompt, ...answer], submittedEnd, "retrace");
    this.#remove(sequence);
    // A process that exits while a software driver works may crash.
    if (this.#sequences.length === 0) await this.#planner.landed();
  }

  /**
   * Runs `body` between two steps, with nothing else on the GPU.
   * @param choose the ring to work in; the task waits while there is none
   * @throws as `join`, and what `body` throws
   */
  async runExclusive<T>(choose: RingChoice, body: TaskBody<T>, options: TaskOptions = {}): Promise<T> {
    const task = new ExclusiveTask(choose, body, options);
    await this.#enter(task as ExclusiveTask);
    try {
      return await task.result;
    } finally {
      this.#remove(task as ExclusiveTask);
    }
  }

  /** Looks again whether there is something to do: the model was disposed of. */
  wake(): void {
    this.#news.open();
  }

  /** Resolves when nobody runs and nobody waits. */
  async idle(): Promise<void> {
    await this.#loop;
  }

  get activity(): Activity {
    const { shape } = this.#recovery.last.decoder;
    const tokens = this.#rings.all.map(({ ids, oldest }) => Math.max(0, ids.length - oldest));
    return {
      parallel: shape.parallel,
      running: this.#running,
      waiting: this.#queue.length,
      rings: shape.B,
      cacheSlots: shape.S,
      cachedTokens: tokens.reduce((a, b) => a + b, 0),
      ...this.#planner.counts,
    };
  }

  get #running(): number {
    return this.#sequences.length + this.#tasks.length;
  }

  get #isBusy(): boolean {
    return this.#queue.length + this.#running > 0;
  }

  async #enter(item: Sequence | ExclusiveTask): Promise<void> {
    const admitted = this.#queue.enter(item);
    this.#loop ??= this.#run();
    this.#news.open();
    try {
      await admitted;
    } catch (error) {
      this.#left();
      throw error;
    }
  }

  #remove(item: Sequence | ExclusiveTask): void {
    const list: unknown[] = item instanceof Sequence ? this.#sequences : this.#tasks;
    const at = list.indexOf(item);
    if (at < 0) return;
    list.splice(at, 1);
    this.#rings.giveBack(item.ring);
    this.#left();
  }

  #left(): void {
    if (!this.#isBusy) this.#needed.abort();
    this.#news.open();
  }

  async #run(): Promise<void> {
    // Calls made in the same turn of the event loop begin together.
    await Promise.resolve();
    while (this.#isBusy) {
      this.#needed = new AbortController();
      try {
        this.#admit();
        const news = this.#news.next();
        const round = (gpuModel: GpuModel) => {
          const task = this.#tasks.find(({ isDone }) => !isDone);
          return this.#planner.round(gpuModel, this.#sequences, task);
        };
        const worked = await this.#recovery.run(round, this.#needed.signal);
        for (const sequence of [...this.#sequences]) if (sequence.failed) this.#remove(sequence);
        if (!worked) await news;
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#loop = undefined;
  }

  /** Admits from the queue, in order, while there is room and a ring for the first. */
  #admit(): void {
    const { parallel } = this.#recovery.last.decoder.shape;
    for (let first = this.#queue.first; first; first = this.#queue.first) {
      try {
        this.check();
      } catch (error) {
        this.#queue.refuseFirst(error);
        continue;
      }
      if (this.#running >= parallel || !first.begin(this.#rings)) return;
      if (first instanceof Sequence) this.#sequences.push(first);
      else this.#tasks.push(first);
      this.#queue.admitFirst();
    }
  }

  /**
   * A step failed, or the device was not replaced. All that run get the error; if none runs, the first of the
   * queue does.
   */
  #fail(error: unknown): void {
    if (this.#needed.signal.aborted) return;
    this.#planner.forget();
    if (this.#running === 0) this.#queue.refuseFirst(error);
    for (const task of [...this.#tasks]) {
      task.fail(error);
      this.#remove(task);
    }
    for (const sequence of [...this.#sequences]) {
      // Its ring may hold anything.
      sequence.ring.begin([], 0);
      sequence.fail(error);
      this.#remove(sequence);
    }
  }
}
