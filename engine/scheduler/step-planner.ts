// What is submitted to the GPU, round by round: at most a chunk of one prompt and a step of all sequences that run, so a long
// prompt does not hold up the answers, and each weight is read once for all of them. Nor does a long text that is scored: what
// wants the GPU for itself has it for a chunk at a time, too.
// A sequence's numbers do not depend on who else runs: rows are computed alike wherever they stand.
import type { Activity } from "../api.ts";
import type { Decoder, Picked } from "../graph/decoder.ts";
import type { GpuModel } from "../resident/gpu-model.ts";
import type { ExclusiveTask } from "./exclusive-task.ts";
import type { RingPool } from "./ring-pool.ts";
import type { RingState } from "./ring-state.ts";
import type { Sequence } from "./sequence.ts";
import { StepsInFlight } from "./steps-in-flight.ts";

/** Tokens that another ring must have more of, to be copied from there. */
const MIN_COPIED_TOKENS = 16;

type Counts = { -readonly [Name in keyof Activity]: Activity[Name] };

export class StepPlanner {
  readonly counts: Pick<Counts, "steps" | "stepRows" | "prefillTokens" | "decodedTokens" | "reusedTokens"> = {
    steps: 0,
    stepRows: 0,
    prefillTokens: 0,
    decodedTokens: 0,
    reusedTokens: 0,
  };
  readonly #running: readonly Sequence[];
  readonly #rings: RingPool;
  readonly #drop: (sequence: Sequence, error: unknown) => void;
  #decoder: Decoder | undefined;
  /** Sequences whose options are set on this decoder, and whose rings hold what they should. */
  #ready = new WeakSet<Sequence>();
  /** Whose rows the next step runs unless they are arranged anew. */
  #arranged: readonly Sequence[] = [];
  #inFlight = new StepsInFlight<void>();
  #chunk: Promise<void> | undefined;

  /**
   * @param running changes between rounds
   * @param drop takes out of `running` a sequence that asks what cannot be done
   */
  constructor(
    running: readonly Sequence[],
    rings: RingPool,
    drop: (sequence: Sequence, error: unknown) => void,
  ) {
    this.#running = running;
    this.#rings = rings;
    this.#drop = drop;
  }

  /** @returns whether there was anything to do. @throws where a step failed or the device is lost */
  async round(gpuModel: GpuModel, task: ExclusiveTask | undefined): Promise<boolean> {
    const { decoder } = gpuModel;
    if (decoder !== this.#decoder) this.#adopt(decoder);
    if (task) {
      await this.#land();
      this.#arranged = [];
      await task.run(gpuModel);
    }
    const prefilled = await this.#prefill(decoder);
    const stepped = await this.#step(decoder);
    if (!this.#inFlight.isEmpty && !(stepped && this.#inFlight.hasRoom)) await this.#inFlight.next();
    else if (!stepped && !prefilled && !task) return false;
    return true;
  }

  /** Until nothing is on its way, well or not. */
  landed(): Promise<void> {
    return this.#inFlight.landed();
  }

  /** After an error: what the decoder at hand has of the sequences is not known. */
  forget(): void {
    this.#decoder = undefined;
  }

  /** A decoder that has seen nothing yet: at first, and after a loss. */
  #adopt(decoder: Decoder): void {
    this.#decoder = decoder;
    this.#ready = new WeakSet();
    this.#arranged = [];
    this.#inFlight = new StepsInFlight();
    this.#chunk = undefined;
    for (const sequence of this.#running) sequence.forgetSubmitted();
  }

  /** Makes a sequence ready, or submits a chunk of its prompt, the oldest first; with the last chunk its first token. */
  async #prefill(decoder: Decoder): Promise<boolean> {
    const sequence = this.#running.find((each) => !this.#ready.has(each) || each.promptLeft > 0);
    if (!sequence) return false;
    if (!this.#ready.has(sequence) && !(await this.#prepare(sequence, decoder))) return true;
    const { ring, options } = sequence;
    const start = ring.ids.length;
    const rest = options.prompt.slice(start);
    if (rest.length > 0) {
      await this.#chunk;
      const count = decoder.prefillChunk(ring.index, rest, start);
      this.#chunk = decoder.done();
      this.#chunk.catch(() => {});
      this.counts.prefillTokens += count;
      sequence.promptWritten(start + count);
      if (count < rest.length) return true;
      this.#arranged = [];
    }
    if (options.maxTokens === 0) {
      await this.#chunk;
      sequence.promptDone();
    } else if (sequence.submitted === 0) {
      sequence.submitted = 1;
      const first = decoder.first(ring.index, options.prompt.length - 1, options.wantsLogits);
      this.#deliver(
        [sequence],
        first.then((picked) => [picked]),
      );
    }
    return true;
  }

  /**
   * Options, and keys and values: its own of before, or what another ring has of its prompt.
   * @returns false where what it asks cannot be done: the others go on
   */
  async #prepare(sequence: Sequence, decoder: Decoder): Promise<boolean> {
    const { ring, answer, options } = sequence;
    const { prompt, settings, seed, signal } = options;
    await this.#land();
    this.#arranged = [];
    try {
      decoder.configure(ring.index, settings, seed, prompt, answer);
      if (sequence.cachedTokens === undefined) {
        sequence.cachedTokens = this.#reuse(ring, prompt, decoder);
        this.counts.reusedTokens += sequence.cachedTokens;
      }
      await ring.restore(decoder, signal);
      if (answer.length > 0) await decoder.retrace(ring.index, answer.slice(0, -1), prompt.length, signal);
    } catch (error) {
      if (!(error instanceof RangeError) && !signal?.aborted) throw error;
      this.#drop(sequence, error);
      return false;
    }
    this.#ready.add(sequence);
    return true;
  }

  /** How many tokens of the prompt the ring has, of a conversation before or copied from another ring. */
  #reuse(ring: RingState, prompt: readonly number[], decoder: Decoder): number {
    const own = ring.reusable(prompt);
    const other = this.#rings.longestPrefix(prompt);
    if (other.shared < own + MIN_COPIED_TOKENS || !other.ring.isHeldBy(decoder)) {
      ring.begin(prompt, own);
      return own;
    }
    const from = other.ring.oldest;
    decoder.copyPrefix(other.ring.index, ring.index, from, other.shared - from);
    ring.copiedPrefix(other.ring, other.shared);
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
      decoder.setRows(members.map(({ row }) => row));
      this.#arranged = members;
    }
    const observed = members.flatMap(({ options }, row) => (options.wantsLogits ? [row] : []));
    const places = members.map((member) => member.nextPlace);
    for (const member of members) member.stepSubmitted();
    this.counts.steps++;
    this.counts.stepRows += members.length;
    this.#deliver(members, decoder.step(places, observed));
    return true;
  }

  /** What is picked goes to its sequence when it comes, unless a loss has made the step void meanwhile. */
  #deliver(members: readonly Sequence[], step: Promise<readonly Picked[]>): void {
    const inFlight = this.#inFlight;
    const landed = step.then((picked) => {
      if (inFlight !== this.#inFlight) return;
      this.counts.decodedTokens += members.length;
      members.forEach((member, row) => {
        member.receive(picked[row]!);
      });
    });
    inFlight.submit(landed);
  }

  /** Until nothing is on its way. */
  async #land(): Promise<void> {
    while (!this.#inFlight.isEmpty) await this.#inFlight.next();
  }
}

const same = (a: readonly Sequence[], b: readonly Sequence[]): boolean =>
  a.length === b.length && a.every((each, i) => each === b[i]);
