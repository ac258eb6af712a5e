// Continuous batching: sequences join and leave between the rounds of one loop, which runs while anybody wants something.
import type { Activity } from "../api.ts";
import { checkIds } from "../graph/prompt-ids.ts";
import type { Residence } from "../resident/device-recovery.ts";
import type { Resident } from "../resident/gpu-model.ts";
import { Job, type JobOptions, type Use } from "./exclusive-task.ts";
import type { Rings } from "./ring-pool.ts";
import type { Cache } from "./ring-state.ts";
import { Sequence, type SequenceOptions } from "./sequence.ts";
import { Rounds } from "./step-planner.ts";
import { Line } from "./wait-queue.ts";

export class Batch {
  readonly #residence: Residence;
  readonly #rings: Rings;
  readonly #check: () => void;
  readonly #line = new Line();
  readonly #running: Sequence[] = [];
  readonly #jobs: Job[] = [];
  readonly #rounds: Rounds;
  #loop: Promise<void> | undefined;
  #wake = () => {};
  /** Aborted where nobody is left who waits for a lost device. */
  #needed = new AbortController();

  /** @param check throws where nobody may begin any more */
  constructor(residence: Residence, rings: Rings, check: () => void) {
    this.#residence = residence;
    this.#rings = rings;
    this.#check = check;
    this.#rounds = new Rounds(this.#running, rings, (sequence, error) => this.#drop(sequence, error));
  }

  /**
   * Waits in line for a ring. The caller ends it with `leave`.
   * @throws RangeError where the prompt has no token, or one that the model has not; what `check` does; the signal's reason
   */
  async join(options: SequenceOptions): Promise<Sequence> {
    checkIds(options.prompt, this.#residence.last.decoder.shape.V, "prompt");
    return this.#enter(options.signal, () => {
      const cache = this.#rings.take(options.prompt);
      if (!cache) return undefined;
      const sequence = new Sequence(options, cache, () => this.#wake());
      this.#running.push(sequence);
      return sequence;
    });
  }

  /** Its ring stays as it is, with what `answer` took of it, until somebody else needs it. */
  async leave(sequence: Sequence, answer: readonly number[]): Promise<void> {
    sequence.close();
    if (!remove(this.#running, sequence)) return;
    const { cache, submitted, options } = sequence;
    if (submitted > 0)
      cache.commit([...options.prompt, ...answer], options.prompt.length + submitted - 1, "retrace");
    this.#rings.give(cache);
    this.#left();
    // A process that ends in the midst of a software driver's work may crash.
    if (this.#running.length === 0) await this.#rounds.landed();
  }

  /**
   * Runs `use` between two steps, with nothing else on the GPU; where it pauses, others get a step.
   * @param take the ring that it wants; waits in line while there is none
   */
  async alone<T>(
    take: (rings: Rings) => Cache | undefined,
    use: Use<T>,
    options: JobOptions = {},
  ): Promise<T> {
    const { result } = await this.#enter(options.signal, () => {
      const cache = take(this.#rings);
      if (!cache) return undefined;
      const job: Job<T> = new Job(cache, use, options, () => {
        if (remove(this.#jobs, job as Job)) this.#rings.give(cache);
      });
      this.#jobs.push(job as Job);
      return job;
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
    const { shape } = this.#residence.last.decoder;
    const tokens = this.#rings.all.map(({ ids, oldest }) => Math.max(0, ids.length - oldest));
    return {
      parallel: shape.parallel,
      running: this.#running.length + this.#jobs.length,
      waiting: this.#line.length,
      rings: shape.B,
      cacheSlots: shape.S,
      cachedTokens: tokens.reduce((a, b) => a + b, 0),
      ...this.#rounds.counts,
    };
  }

  #enter<T extends object>(signal: AbortSignal | undefined, begin: () => T | undefined): Promise<T> {
    const begun = this.#line.enter(begin, () => this.#left(), signal);
    this.#loop ??= this.#run();
    this.#wake();
    return begun;
  }

  #left(): void {
    if (!this.#busy) this.#needed.abort();
    this.#wake();
  }

  get #busy(): boolean {
    return this.#line.length + this.#running.length + this.#jobs.length > 0;
  }

  async #run(): Promise<void> {
    // Those who call in the same turn of the event loop begin together.
    await Promise.resolve();
    while (this.#busy) {
      this.#needed = new AbortController();
      try {
        const { parallel } = this.#residence.last.decoder.shape;
        this.#line.admit(this.#check, () => this.#running.length + this.#jobs.length < parallel);
        const woken = new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        const round = (resident: Resident) => this.#rounds.round(resident, this.#jobs[0]);
        if (!(await this.#residence.run(round, this.#needed.signal))) await woken;
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#loop = undefined;
  }

  #drop(sequence: Sequence, error: unknown): void {
    remove(this.#running, sequence);
    this.#rings.give(sequence.cache);
    sequence.fail(error);
  }

  /** A step failed, or the device could not be replaced: whoever runs gets the error, and if nobody does, whoever is next. */
  #fail(error: unknown): void {
    if (this.#needed.signal.aborted) return;
    this.#rounds.forget();
    const nobody = this.#running.length + this.#jobs.length === 0;
    for (const sequence of [...this.#running]) {
      // What is in its ring is not known.
      sequence.cache.begin([], 0);
      this.#drop(sequence, error);
    }
    for (const job of [...this.#jobs]) job.fail(error);
    if (nobody) this.#line.refuseFirst(error);
  }
}

function remove<T>(list: T[], item: T): boolean {
  const at = list.indexOf(item);
  if (at >= 0) list.splice(at, 1);
  return at >= 0;
}
