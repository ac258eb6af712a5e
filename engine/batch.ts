// Continuous batching: sequences join and leave between steps. A round submits at most a chunk of one prompt and a step of all
// sequences that run, so a long prompt does not hold up the answers, and each weight is read once for all of them.
// A sequence's numbers do not depend on who else runs: rows are computed alike wherever they stand.
import type { Activity } from "./api.ts";
import type { Cache } from "./cache.ts";
import type { Decoder, Picked } from "./decoder.ts";
import { Flight } from "./flight.ts";
import type { Residence } from "./residence.ts";
import type { Resident } from "./resident.ts";
import type { Rings } from "./rings.ts";
import { Sequence, type SequenceOptions } from "./sequence.ts";

/** Work that wants the GPU, and a ring, for itself. */
interface Job {
  readonly cache: Cache;
  run(resident: Resident): Promise<void>;
  fail(error: unknown): void;
}

/** Somebody in line for a ring. */
interface Caller {
  readonly enter: () => boolean;
  readonly refuse: (error: unknown) => void;
}

/** Tokens that another ring must have more of, to be copied from there. */
const WORTH_COPYING = 16;

export class Batch {
  readonly #residence: Residence;
  readonly #rings: Rings;
  /** Throws where nobody may begin any more. */
  readonly #check: () => void;
  readonly #line: Caller[] = [];
  readonly #running: Sequence[] = [];
  readonly #jobs: Job[] = [];
  #loop: Promise<void> | undefined;
  #wake = () => {};
  /** Aborted where nobody is left who waits for a lost device. */
  #needed = new AbortController();

  #decoder: Decoder | undefined;
  /** Sequences that are ready on the decoder at hand: their options are set, their rings hold what they should. */
  #ready = new WeakSet<Sequence>();
  /** Whose rows the next step runs unless they are arranged anew. */
  #arranged: readonly Sequence[] = [];
  #flight = new Flight<void>();
  #chunk: Promise<void> | undefined;
  readonly #counts = { steps: 0, stepRows: 0, prefillTokens: 0, decodedTokens: 0, reusedTokens: 0 };

  constructor(residence: Residence, rings: Rings, check: () => void) {
    this.#residence = residence;
    this.#rings = rings;
    this.#check = check;
  }

  /** Waits in line for a ring. The caller ends it with `leave`. @throws what `check` does, the signal's reason */
  join(options: SequenceOptions): Promise<Sequence> {
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
    if (this.#running.length === 0) await this.#flight.landed();
  }

  /** The model was disposed of. */
  wake(): void {
    this.#wake();
  }

  /**
   * Runs `use` between two steps, with nothing else on the GPU.
   * @param take the ring that it wants; waits in line while there is none
   * @param again where the device is lost, on a new one
   */
  async alone<T>(
    take: (rings: Rings) => Cache | undefined,
    use: (resident: Resident, cache: Cache) => Promise<T>,
    { signal, again = true }: { readonly signal?: AbortSignal | undefined; readonly again?: boolean } = {},
  ): Promise<T> {
    let settle: { resolve(value: T): void; reject(error: unknown): void } | undefined;
    const result = new Promise<T>((resolve, reject) => {
      settle = { resolve, reject };
    });
    result.catch(() => {});
    await this.#enter(signal, () => {
      const cache = take(this.#rings);
      if (!cache) return undefined;
      const job: Job = {
        cache,
        run: async (resident) => {
          try {
            signal?.throwIfAborted();
            await cache.restore(resident.decoder, signal);
            const value = await use(resident, cache);
            this.#endJob(job);
            settle!.resolve(value);
          } catch (error) {
            if (resident.gpu.lost && again && !signal?.aborted) throw error;
            job.fail(error);
          }
        },
        fail: (error) => {
          this.#endJob(job);
          settle!.reject(error);
        },
      };
      this.#jobs.push(job);
      return job;
    });
    return result;
  }

  /** Resolves when nobody runs and nobody waits. */
  async idle(): Promise<void> {
    await this.#loop;
  }

  get activity(): Activity {
    const { shape } = this.#residence.last.decoder;
    return {
      parallel: shape.parallel,
      running: this.#running.length + this.#jobs.length,
      waiting: this.#line.length,
      rings: shape.B,
      cacheSlots: shape.S,
      cachedTokens: this.#rings.all.reduce(
        (sum, { ids, oldest }) => sum + Math.max(0, ids.length - oldest),
        0,
      ),
      ...this.#counts,
    };
  }

  #enter<T extends object>(signal: AbortSignal | undefined, begin: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const refuse = (reason: unknown) => {
        remove(this.#line, caller);
        signal?.removeEventListener("abort", aborted);
        reject(reason);
        this.#left();
      };
      const aborted = () => refuse(signal?.reason);
      const caller: Caller = {
        enter: () => {
          const begun = begin();
          if (!begun) return false;
          remove(this.#line, caller);
          signal?.removeEventListener("abort", aborted);
          resolve(begun);
          return true;
        },
        refuse,
      };
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener("abort", aborted);
      this.#line.push(caller);
      this.#loop ??= this.#run();
      this.#wake();
    });
  }

  #endJob(job: Job): void {
    if (remove(this.#jobs, job)) this.#rings.give(job.cache);
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
        this.#admit();
        const woken = new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        if (!(await this.#residence.run((resident) => this.#round(resident), this.#needed.signal)))
          await woken;
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#loop = undefined;
  }

  /** In the order in which they came, while there are rings and rows. */
  #admit(): void {
    while (this.#line.length > 0) {
      const [caller] = this.#line as [Caller];
      try {
        this.#check();
      } catch (error) {
        caller.refuse(error);
        continue;
      }
      const full = this.#running.length + this.#jobs.length >= this.#residence.last.decoder.shape.parallel;
      if (full || !caller.enter()) return;
    }
  }

  /** @returns whether there was anything to do */
  async #round(resident: Resident): Promise<boolean> {
    if (resident.decoder !== this.#decoder) this.#adopt(resident.decoder);
    const [job] = this.#jobs;
    if (job) {
      await this.#land();
      this.#arranged = [];
      await job.run(resident);
      return true;
    }
    const prefilled = await this.#prefill(resident);
    const stepped = await this.#step(resident.decoder);
    if (!this.#flight.isEmpty && !(stepped && this.#flight.hasRoom)) await this.#flight.next();
    else if (!stepped && !prefilled) return false;
    return true;
  }

  /** A decoder that has seen nothing yet: at first, and after a loss. */
  #adopt(decoder: Decoder): void {
    this.#decoder = decoder;
    this.#ready = new WeakSet();
    this.#arranged = [];
    this.#flight = new Flight();
    this.#chunk = undefined;
    for (const sequence of this.#running) sequence.forgetSubmitted();
  }

  /** Makes a sequence ready, or submits a chunk of its prompt, the oldest first; with the last chunk its first token. */
  async #prefill({ decoder }: Resident): Promise<boolean> {
    const sequence = this.#running.find((each) => !this.#ready.has(each) || each.promptLeft > 0);
    if (!sequence) return false;
    if (!this.#ready.has(sequence) && !(await this.#prepare(sequence, decoder))) return true;
    const { cache, options } = sequence;
    const start = cache.ids.length;
    const rest = options.prompt.slice(start);
    if (rest.length > 0) {
      await this.#chunk;
      const count = decoder.prefillChunk(cache.sequence, rest, start);
      this.#chunk = decoder.done();
      this.#chunk.catch(() => {});
      this.#counts.prefillTokens += count;
      sequence.promptWritten(start + count);
      if (count < rest.length) return true;
      this.#arranged = [];
    }
    if (options.maxTokens === 0) {
      await this.#chunk;
      sequence.promptDone();
    } else if (sequence.submitted === 0) {
      sequence.submitted = 1;
      this.#deliver(
        [sequence],
        decoder.first(options.observed).then((picked) => [picked]),
      );
    }
    return true;
  }

  /**
   * Options, and keys and values: its own of before, or what another ring has of its prompt.
   * @returns false where what it asks cannot be done: the others go on
   */
  async #prepare(sequence: Sequence, decoder: Decoder): Promise<boolean> {
    const { cache, answer, options } = sequence;
    const { prompt, settings, seed, signal } = options;
    await this.#land();
    this.#arranged = [];
    try {
      decoder.configure(cache.sequence, settings, seed, prompt, answer);
      if (sequence.cachedTokens === undefined) {
        sequence.cachedTokens = this.#reuse(cache, prompt, decoder);
        this.#counts.reusedTokens += sequence.cachedTokens;
      }
      await cache.restore(decoder, signal);
      if (answer.length > 0)
        await decoder.retrace(cache.sequence, answer.slice(0, -1), prompt.length, signal);
    } catch (error) {
      if (!(error instanceof RangeError) && !signal?.aborted) throw error;
      this.#drop(sequence, error);
      return false;
    }
    this.#ready.add(sequence);
    return true;
  }

  /** How many tokens of the prompt the ring has, of a conversation before or copied from another ring. */
  #reuse(cache: Cache, prompt: readonly number[], decoder: Decoder): number {
    const own = cache.reusable(prompt);
    const other = this.#rings.longest(prompt);
    if (other.shared < own + WORTH_COPYING || !other.cache.isOn(decoder)) {
      cache.begin(prompt, own);
      return own;
    }
    const from = other.cache.oldest;
    decoder.fork(other.cache.sequence, cache.sequence, from, other.shared - from);
    cache.copied(other.cache, other.shared);
    return other.shared;
  }

  /** A step of all that want one. Whoever joins or leaves, all that is on its way is waited for, so that every row is known. */
  async #step(decoder: Decoder): Promise<boolean> {
    const wanting = () => this.#running.filter((each) => this.#ready.has(each) && each.wantsStep);
    let members = wanting();
    if (members.length === 0) return false;
    if (!same(members, this.#arranged)) {
      await this.#land();
      members = wanting();
      if (members.length === 0) return true;
      decoder.arrange(members.map(({ row }) => row));
      this.#arranged = members;
    }
    const observed = members.flatMap(({ options }, row) => (options.observed ? [row] : []));
    for (const member of members) member.stepSubmitted();
    this.#counts.steps++;
    this.#counts.stepRows += members.length;
    this.#deliver(members, decoder.step(members.length, observed));
    return true;
  }

  /** What is picked goes to its sequence when it comes, unless a loss has made the step void meanwhile. */
  #deliver(members: readonly Sequence[], step: Promise<readonly Picked[]>): void {
    const flight = this.#flight;
    const landed = step.then((picked) => {
      if (flight !== this.#flight) return;
      this.#counts.decodedTokens += members.length;
      members.forEach((member, row) => {
        member.receive(picked[row]!);
      });
    });
    flight.submit(landed);
  }

  /** Until nothing is on its way. */
  async #land(): Promise<void> {
    while (!this.#flight.isEmpty) await this.#flight.next();
  }

  #drop(sequence: Sequence, error: unknown): void {
    remove(this.#running, sequence);
    this.#rings.give(sequence.cache);
    sequence.fail(error);
  }

  /** A step failed, or the device could not be replaced: whoever runs gets the error, and if nobody does, whoever is next. */
  #fail(error: unknown): void {
    if (this.#needed.signal.aborted) return;
    this.#decoder = undefined;
    const [next] = this.#running.length + this.#jobs.length > 0 ? [] : this.#line;
    for (const sequence of [...this.#running]) {
      // What is in its ring is not known.
      sequence.cache.begin([], 0);
      this.#drop(sequence, error);
    }
    for (const job of [...this.#jobs]) job.fail(error);
    next?.refuse(error);
  }
}

function remove<T>(list: T[], item: T): boolean {
  const at = list.indexOf(item);
  if (at >= 0) list.splice(at, 1);
  return at >= 0;
}

const same = (a: readonly Sequence[], b: readonly Sequence[]): boolean =>
  a.length === b.length && a.every((each, i) => each === b[i]);
