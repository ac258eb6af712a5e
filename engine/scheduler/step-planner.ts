// What a round submits to the GPU: at most one chunk of one prompt, then one step of all sequences that run.
// So a long prompt does not hold up the answers, and one read of the weights serves all of them. An exclusive
// task gets the GPU for one chunk at a time, too. A sequence's numbers do not depend on who else runs: each
// row of a step is computed alike.
import type { Activity } from "../api.ts";
import type { Decoder, Picked } from "../graph/decoder.ts";
import type { GpuModel } from "../resident/gpu-model.ts";
import type { ExclusiveTask } from "./exclusive-task.ts";
import type { RingPool } from "./ring-pool.ts";
import type { RingState } from "./ring-state.ts";
import type { Sequence } from "./sequence.ts";
import { StepsInFlight } from "./steps-in-flight.ts";

/** Another ring must share this many tokens more than a sequence's own before they are copied. */
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
  readonly #rings: RingPool;
  #decoder: Decoder | undefined;
  /** Sequences whose options are set on this decoder, and whose rings hold what they should. */
  #ready = new WeakSet<Sequence>();
  /** The unconstrained sequences whose rows the decoder has, in its first rows. */
  #rows: readonly Sequence[] = [];
  #inFlight = new StepsInFlight<void>();
  /** Settle when the last two chunks of prompts are computed. */
  #chunks: readonly Promise<void>[] = [];

  constructor(rings: RingPool) {
    this.#rings = rings;
  }

  /**
   * One round.
   * @param sequences those that run: the list may change while the round waits
   * @param task gets a turn first
   * @returns whether there was anything to do
   * @throws if a step failed or the device is lost
   */
  async round(
    gpuModel: GpuModel,
    sequences: readonly Sequence[],
    task: ExclusiveTask | undefined,
  ): Promise<boolean> {
    const { decoder } = gpuModel;
    if (decoder !== this.#decoder) this.#adopt(decoder, sequences);
    if (task) {
      await this.#land();
      this.#rows = [];
      await task.run(gpuModel);
    }
    const prefilled = await this.#prefill(decoder, sequences);
    const stepped = await this.#step(decoder, sequences);
    if (!this.#inFlight.isEmpty && !(stepped && this.#inFlight.hasRoom)) await this.#inFlight.next();
    else if (!stepped && !prefilled && !task) return false;
    return true;
  }

  /** Resolves when all submitted steps have settled, well or not. */
  landed(): Promise<void> {
    return this.#inFlight.landed();
  }

  /** After an error, the state of the decoder is unknown: the next round begins as with a new one. */
  forget(): void {
    this.#decoder = undefined;
  }

  /** Begins with a decoder that has computed nothing yet: the first, or the one after a loss. */
  #adopt(decoder: Decoder, sequences: readonly Sequence[]): void {
    this.#decoder = decoder;
    this.#ready = new WeakSet();
    this.#rows = [];
    this.#inFlight = new StepsInFlight();
    this.#chunks = [];
    for (const sequence of sequences) sequence.forgetSubmitted();
  }

  /**
   * Prepares a sequence, or submits a chunk of its prompt or of its forced tokens, the oldest sequence first;
   * with the last chunk of the prompt the first token.
   */
  async #prefill(decoder: Decoder, sequences: readonly Sequence[]): Promise<boolean> {
    const isDue = (each: Sequence) => !each.failed && (!this.#ready.has(each) || each.needsPrefill);
    const sequence = sequences.find(isDue);
    if (!sequence) return false;
    if (!this.#ready.has(sequence) && !(await this.#prepare(sequence, decoder))) return true;
    const { ring, options } = sequence;
    const rest = sequence.unprefilled;
    if (rest.length > 0) {
      const count = await this.#submitChunk(sequence, rest, decoder);
      if (count < rest.length) return true;
      if (sequence.submitted === 0) this.#rows = [];
      else decoder.recount(ring.index, options.prompt, sequence.answer);
    }
    if (options.maxTokens === 0) {
      await Promise.all(this.#chunks);
      sequence.promptDone();
    } else if (sequence.submitted === 0) {
      sequence.submitted = 1;
      const position = options.prompt.length - 1;
      const masks = maskWriter([sequence], decoder);
      const first = decoder.first(ring.index, position, options.wantsLogits, masks);
      // Fails with the chunks before it.
      this.#deliver(
        [sequence],
        Promise.all([first, ...this.#chunks]).then(([picked]) => [picked]),
      );
    }
    return true;
  }

  /** @returns the number of tokens in the chunk; 0 if the sequence was aborted before all was submitted */
  async #submitChunk(sequence: Sequence, rest: readonly number[], decoder: Decoder): Promise<number> {
    const { ring, options } = sequence;
    const start = ring.ids.length;
    if (start === sequence.cachedTokens) sequence.computed(start);
    // While the GPU computes a chunk, it has the next.
    const [before, ...chunks] = this.#chunks.slice(-2);
    if (chunks.length > 0) await before;
    // An aborted chunk leaves anything in its slots.
    ring.wrote(start + Math.min(rest.length, decoder.shape.chunkLength));
    try {
      // The step after forced tokens runs the last of them.
      const keepsLast = sequence.submitted === 0;
      const count = await decoder.prefillChunk(ring.index, rest, start, options.signal, keepsLast);
      const done = decoder.done();
      const end = start + count;
      done.then(
        () => end <= options.prompt.length && sequence.computed(end),
        () => {}, // An error is thrown where it is awaited.
      );
      this.#chunks = [...this.#chunks.slice(-1), done];
      this.counts.prefillTokens += count;
      sequence.chunkSubmitted(end);
      return count;
    } catch (error) {
      if (!options.signal?.aborted) throw error;
      sequence.fail(error);
      return 0;
    }
  }

  /**
   * Sets a sequence's options, and restores or reuses the keys and values of its tokens.
   * @returns false if it cannot run as asked: then it has failed, and the others go on
   */
  async #prepare(sequence: Sequence, decoder: Decoder): Promise<boolean> {
    const { ring, answer, options } = sequence;
    const { prompt, settings, seed, signal, constraint, mix } = options;
    await this.#land();
    this.#rows = [];
    try {
      decoder.configure(ring.index, { settings, seed, prompt, answer, masked: constraint !== undefined });
      ring.use(mix, decoder);
      if (sequence.cachedTokens === undefined) {
        sequence.cachedTokens = await this.#reuse(ring, prompt, decoder);
        this.counts.reusedTokens += sequence.cachedTokens;
      }
      await ring.restore(decoder, signal);
      await decoder.retrace(ring.index, sequence.retraced, ring.ids.length, signal);
    } catch (error) {
      if (!(error instanceof RangeError) && !signal?.aborted) throw error;
      sequence.fail(error);
      return false;
    }
    this.#ready.add(sequence);
    return true;
  }

  /**
   * @returns how many tokens of the prompt the ring holds, from its last conversation or copied from another
   * ring
   */
  async #reuse(ring: RingState, prompt: readonly number[], decoder: Decoder): Promise<number> {
    const own = ring.reusable(prompt, ring.mix);
    const other = this.#rings.longestPrefix(prompt, ring.mix);
    if (other.shared < own + MIN_COPIED_TOKENS || !other.ring.isHeldBy(decoder)) {
      ring.begin(prompt, own);
      return own;
    }
    const from = other.ring.oldest;
    await decoder.copyPrefix(other.ring.index, ring.index, from, other.shared - from);
    ring.copiedPrefix(other.ring, other.shared);
    return other.shared;
  }

  /**
   * Submits a step of all sequences that want one. The rows of unconstrained ones are first, and the sampler
   * advances them. If they are others than last time, waits for all steps first: then every row is known. A
   * constrained one has no step in flight when it wants one, so its row is known, and is written behind them.
   */
  async #step(decoder: Decoder, sequences: readonly Sequence[]): Promise<boolean> {
    let { free, constrained } = this.#wanting(sequences);
    if (free.length + constrained.length === 0) return false;
    if (!same(free, this.#rows)) {
      await this.#land();
      ({ free, constrained } = this.#wanting(sequences));
      decoder.setRows(free.map(({ row }) => row));
      this.#rows = free;
      this.#inFlight.setRows(free.length);
      if (free.length + constrained.length === 0) return true;
    }
    const rows = constrained.map(({ row }) => row);
    decoder.setRows(rows, free.length);
    const members = [...free, ...constrained];
    const withLogits = members.flatMap(({ options }, row) => (options.wantsLogits ? [row] : []));
    const places = members.map((member) => member.nextPlace);
    for (const member of members) member.stepSubmitted();
    this.counts.steps++;
    this.counts.stepRows += members.length;
    this.#deliver(members, decoder.step(places, withLogits, maskWriter(constrained, decoder)));
    return true;
  }

  /**
   * The sequences that want a step. If all are constrained, none does until each has its last token: they
   * share their steps.
   */
  #wanting(sequences: readonly Sequence[]) {
    const wanting = sequences.filter((each) => this.#ready.has(each) && each.wantsStep);
    const free = wanting.filter(({ isConstrained }) => !isConstrained);
    const waits =
      free.length === 0 && sequences.some((each) => each.isConstrained && each.awaitsToken && !each.failed);
    return { free, constrained: waits ? [] : wanting.filter(({ isConstrained }) => isConstrained) };
  }

  /** Gives each picked token to its sequence, unless a loss has voided the step meanwhile. */
  #deliver(members: readonly Sequence[], step: Promise<readonly Picked[]>): void {
    const inFlight = this.#inFlight;
    // Firefox may map the buffer of a later step first.
    const before = inFlight.landed();
    const landed = step.then(async (picked) => {
      await before;
      if (inFlight !== this.#inFlight) return;
      this.counts.decodedTokens += members.length;
      members.forEach((member, row) => {
        member.receive(picked[row]!);
      });
    });
    inFlight.submit(landed);
  }

  /** Waits until no step is in flight. */
  async #land(): Promise<void> {
    while (!this.#inFlight.isEmpty) await this.#inFlight.next();
  }
}

/**
 * Puts what the constraints allow next where the sampler reads it. If one fails, so does its sequence: the
 * token that is picked for it goes to nobody.
 * @returns undefined if there is no constraint
 */
function maskWriter(sequences: readonly Sequence[], decoder: Decoder): (() => void) | undefined {
  const constrained = sequences.filter(({ isConstrained }) => isConstrained);
  if (constrained.length === 0) return undefined;
  return () => {
    for (const sequence of constrained) {
      try {
        decoder.setMask(sequence.ring.index, sequence.options.constraint!.mask());
      } catch (error) {
        sequence.fail(error);
      }
    }
  };
}

const same = (a: readonly Sequence[], b: readonly Sequence[]): boolean =>
  a.length === b.length && a.every((each, i) => each === b[i]);
