// Continuous batching: sequences join and leave between the rounds of one loop, which runs while anybody wants something.
import type { Activity } from "../api.ts";
import { checkIds } from "../graph/prompt-ids.ts";
import type { DeviceRecovery } from "../resident/device-recovery.ts";
import type { GpuModel } from "../resident/gpu-model.ts";
import { ExclusiveTask, type TaskBody, type TaskOptions } from "./exclusive-task.ts";
import type { RingPool } from "./ring-pool.ts";
import type { RingState } from "./ring-state.ts";
import { Sequence, type SequenceOptions } from "./sequence.ts";
import { StepPlanner } from "./step-planner.ts";
import { WaitQueue } from "./wait-queue.ts";

export class Scheduler {
  readonly #recovery: DeviceRecovery;
  readonly #rings: RingPool;
  readonly #check: () => void;
  readonly #queue = new WaitQueue();
  readonly #running: Sequence[] = [];
  readonly #tasks: ExclusiveTask[] = [];
  readonly #planner: StepPlanner;
  #loop: Promise<void> | undefined;
  #wake = () => {};
  /** Aborted where nobody is left who waits for a lost device. */
  #needed = new AbortController();

  /** @param check throws where nobody may begin any more */
  constructor(recovery: DeviceRecovery, rings: RingPool, check: () => void) {
    this.#recovery = recovery;
    this.#rings = rings;
    this.#check = check;
    this.#planner = new StepPlanner(this.#running, rings, (sequence, error) => this.#drop(sequence, error));
  }

  /**
   * Waits in line for a ring. The caller ends it with `leave`.
   * @throws RangeError where the prompt has no token, or one that the model has not; what `check` does; the signal's reason
   */
  async join(options: SequenceOptions): Promise<Sequence> {
    checkIds(options.prompt, this.#recovery.last.decoder.shape.V, "prompt");
    return this.#enter(options.signal, () => {
      const ring = this.#rings.take(options.prompt);
      if (!ring) return undefined;
      const sequence = new Sequence(options, ring, () => this.#wake());
      this.#running.push(sequence);
      return sequence;
    });
  }

  /** Its ring stays as it is, with what `answer` took of it, until somebody else needs it. */
  async leave(sequence: Sequence, answer: readonly number[]): Promise<void> {
    sequence.close();
    if (!remove(this.#running, sequence)) return;
    const { ring, submitted, options } = sequence;
    if (submitted > 0)
      ring.commit([...options.prompt, ...answer], options.prompt.length + submitted - 1, "retrace");
    this.#rings.giveBack(ring);
    this.#left();
    // A process that ends in the midst of a software driver's work may crash.
    if (this.#running.length === 0) await this.#planner.landed();
  }

  /**
   * Runs `use` between two steps, with nothing else on the GPU; where it pauses, others get a step.
   * @param take the ring that it wants; waits in line while there is none
   */
  async runExclusive<T>(
    take: (rings: RingPool) => RingState | undefined,
    use: TaskBody<T>,
    options: TaskOptions = {},
  ): Promise<T> {
    const { result } = await this.#enter(options.signal, () => {
      const ring = take(this.#rings);
      if (!ring) return undefined;
      const task: ExclusiveTask<T> = new ExclusiveTask(ring, use, options, () => {
        if (remove(this.#tasks, task as ExclusiveTask)) this.#rings.giveBack(ring);
      });
      this.#tasks.push(task as ExclusiveTask);
      return task;
    });
    return result;
  }

  /** The model was disposed of. */
  wake(): void {
    this.#wake();
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
      running: this.#running.length + this.#tasks.length,
      waiting: this.#queue.length,
      rings: shape.B,
      cacheSlots: shape.S,
      cachedTokens: tokens.reduce((a, b) => a + b, 0),
      ...this.#planner.counts,
    };
  }

  #enter<T extends object>(signal: AbortSignal | undefined, begin: () => T | undefined): Promise<T> {
    const begun = this.#queue.enter(begin, () => this.#left(), signal);
    this.#loop ??= this.#run();
    this.#wake();
    return begun;
  }

  #left(): void {
    if (!this.#busy) this.#needed.abort();
    this.#wake();
  }

  get #busy(): boolean {
    return this.#queue.length + this.#running.length + this.#tasks.length > 0;
  }

  async #run(): Promise<void> {
    // Those who call in the same turn of the event loop begin together.
    await Promise.resolve();
    while (this.#busy) {
      this.#needed = new AbortController();
      try {
        const { parallel } = this.#recovery.last.decoder.shape;
        this.#queue.admit(this.#check, () => this.#running.length + this.#tasks.length < parallel);
        const woken = new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        const round = (gpuModel: GpuModel) => this.#planner.round(gpuModel, this.#tasks[0]);
        if (!(await this.#recovery.run(round, this.#needed.signal))) await woken;
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#loop = undefined;
  }

  #drop(sequence: Sequence, error: unknown): void {
    remove(this.#running, sequence);
    this.#rings.giveBack(sequence.ring);
    sequence.fail(error);
  }

  /** A step failed, or the device could not be replaced: whoever runs gets the error, and if nobody does, whoever is next. */
  #fail(error: unknown): void {
    if (this.#needed.signal.aborted) return;
    this.#planner.forget();
    const nobody = this.#running.length + this.#tasks.length === 0;
    for (const sequence of [...this.#running]) {
      // What is in its ring is not known.
      sequence.ring.begin([], 0);
      this.#drop(sequence, error);
    }
    for (const task of [...this.#tasks]) task.fail(error);
    if (nobody) this.#queue.refuseFirst(error);
  }
}

function remove<T>(list: T[], item: T): boolean {
  const at = list.indexOf(item);
  if (at >= 0) list.splice(at, 1);
  return at >= 0;
}
