// Runs the lists of prepare.ts: prefill, a decode step, a score; and reads tokens and logits back.
import type { Dispatch } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Submitter } from "../gpu/submitter.ts";
import type { Activations } from "./activations.ts";
import type { AdapterMix } from "./adapter-use.ts";
import type { AdapterUses } from "./adapter-uses.ts";
import { HeldRows, type RowPlace } from "./held-rows.ts";
import { checkIds } from "./prompt-ids.ts";
import { Readback } from "./readback.ts";
import { Sampler, type SamplerOptions } from "./sampler.ts";
import type { Shape } from "./shape.ts";
import { decodeList, type Lists, type StepLists } from "./step-lists.ts";

/** Steps of `retrace` that are submitted before others may run. */
const RETRACED_TOGETHER = 32;

/** A row of a step: a token, its position, and the ring of its sequence. */
export interface Row extends RowPlace {
  readonly id: number;
}

/** The token picked for a row. */
export interface Picked {
  readonly id: number;
  /** [V], before bias, penalties and mask: only if asked for. */
  readonly logits?: Float32Array;
}

interface Prepared {
  readonly lists: Lists;
  /** Empty if there is one ring only. */
  readonly copyPrefix: readonly Dispatch[];
  /** Picked tokens are read back through these in turn, 16 bytes each: one more than the steps in flight. */
  readonly staging: readonly GPUBuffer[];
}

export class Decoder {
  readonly shape: Shape;
  /** The buffers that the passes work in. Inspect reads them between two dispatches. */
  readonly activations: Activations;
  readonly submitter: Submitter;
  readonly #gpu: Gpu;
  readonly #prepared: Prepared;
  readonly readback: Readback;
  readonly #sampler: Sampler;
  readonly #held = new HeldRows();
  /** The LoRA adapters, while some are loaded. They are replaced while no pass is in flight. */
  adapters: AdapterUses | undefined;

  constructor(gpu: Gpu, submitter: Submitter, shape: Shape, activations: Activations, prepared: Prepared) {
    this.#gpu = gpu;
    this.submitter = submitter;
    this.shape = shape;
    this.activations = activations;
    this.#prepared = prepared;
    this.readback = new Readback(gpu, submitter, activations.decode.rows, prepared.staging);
    this.#sampler = new Sampler(submitter, activations.sampler, shape.V);
  }

  /** From the next pass on, the sequence in this ring uses these adapters. */
  setAdapters(ring: number, mix: AdapterMix | undefined): void {
    this.adapters?.set(ring, mix);
  }

  /** The dispatches of a step whose rows are at these positions, without adapters. */
  dispatchesOf(...positions: readonly number[]): readonly Dispatch[] {
    const step = this.#prepared.lists.steps[positions.length - 1]!;
    const layers = decodeList(
      step,
      this.shape,
      positions.map((position) => ({ position })),
    );
    return [...layers, ...step.logits, ...step.sample];
  }

  /** The dispatches of a prefill pass of `chunkLength` tokens, without adapters. */
  get prefillDispatches(): readonly Dispatch[] {
    return this.#prepared.lists.prefill;
  }

  /**
   * Sets the rows of the next step; the sampler advances them for the steps after. If earlier positions have
   * no keys and values, a step takes as long as always, but its ids mean nothing.
   * @param first number of rows that stay, as the sampler has them
   */
  setRows(rows: readonly Row[], first = 0): void {
    if (rows.length > 0) this.checkIds(rows.map(({ id }) => id));
    this.#held.set(rows, first);
    if (rows.length === 0) return;
    const words = rows.flatMap(({ id, position, ring }) => [id, position, ring, 0]);
    this.submitter.writeBuffer(this.activations.decode.rows, 16 * first, new Uint32Array(words));
  }

  /** Sets one row. */
  setRow(position: number, id = 0, ring = 0): void {
    this.setRows([{ ring, position, id }]);
  }

  /** As `prefillInChunks`, without pauses. */
  async prefill(ring: number, ids: readonly number[], start: number, signal?: AbortSignal): Promise<void> {
    for await (const _ of this.prefillInChunks(ring, ids, start, signal));
  }

  /**
   * Writes the tokens' keys and values, and keeps the residual stream of the last one for `logits` or
   * `first`. Yields between chunks, so that others may run.
   * @param start position of ids[0]
   */
  async *prefillInChunks(
    ring: number,
    ids: readonly number[],
    start: number,
    signal?: AbortSignal,
  ): AsyncGenerator<void, void, void> {
    let before: Promise<void> | undefined;
    for (let at = 0; at < ids.length; ) {
      if (at > 0) yield;
      at += await this.prefillChunk(ring, ids.slice(at), start + at, signal);
      const chunk = this.done();
      chunk.catch(() => {}); // An error is thrown by the next `await before`.
      // The GPU has a chunk while the host submits the next.
      await before;
      before = chunk;
    }
    await before;
  }

  /**
   * Submits one chunk: the keys and values of as many of `ids` as it holds. If that is all of them, it also
   * keeps the residual stream of the last one for `first`, whose row replaces those that were set.
   * @param keepsLast false: it does not, and the rows stay
   * @returns the number of tokens in the chunk, once all of it is submitted
   * @throws the signal's reason: then the slots of the chunk may hold anything, and nothing else is changed
   */
  async prefillChunk(
    ring: number,
    ids: readonly number[],
    start: number,
    signal?: AbortSignal,
    keepsLast = true,
  ): Promise<number> {
    const chunk = ids.slice(0, this.shape.chunkLength);
    await this.#prefillChunk(ring, chunk, start, keepsLast && chunk.length === ids.length, signal);
    return chunk.length;
  }

  /** Resolves when all submitted work is done. */
  async done(): Promise<void> {
    await this.#gpu.settle(this.submitter.done());
  }

  /**
   * Computes the keys and values of an answer's tokens again, by decode steps as the first time. A prefill
   * would round differently. No token is picked.
   * @param start position of ids[0]
   */
  async retrace(ring: number, ids: readonly number[], start: number, signal?: AbortSignal): Promise<void> {
    for (let at = 0; at < ids.length; at += RETRACED_TOGETHER) {
      signal?.throwIfAborted();
      for (const [i, id] of ids.slice(at, at + RETRACED_TOGETHER).entries()) {
        const position = start + at + i;
        this.setRow(position, id, ring);
        await this.submitter.run([this.#layersOf([{ ring, position }])], { signal });
      }
      await this.done();
    }
  }

  async #prefillChunk(
    ring: number,
    ids: readonly number[],
    position: number,
    isLast: boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { prefill: p, decode: d } = this.activations;
    const T = ids.length;
    this.checkIds(ids);
    const rows = Uint32Array.from(
      { length: 4 * T },
      (_, i) => [ids[i >> 2]!, position + (i >> 2), ring, T][i % 4]!,
    );
    this.submitter.writeBuffer(p.rows, 0, rows);
    const rowBytes = d.x.size / this.shape.parallel;
    await this.submitter.run([this.listsOf([ring]).prefill], {
      rows: { T, of: this.shape.chunkLength },
      copy: (encoder) => {
        if (isLast) encoder.copyBufferToBuffer(p.x, (T - 1) * rowBytes, d.x, 0, rowBytes);
      },
      signal,
    });
    if (!isLast) return;
    // The sampler advances this row to the position of the token that it picks.
    this.setRow(position + T - 1, ids[T - 1]!, ring);
    this.#held.prefill({ ring, position: position + T - 1 });
  }

  /**
   * The last check before the GPU, which would read outside the embedding. Callers check before, with better
   * messages.
   */
  checkIds(ids: readonly number[]): void {
    checkIds(ids, this.shape.V, "ids");
  }

  /**
   * Copies the keys and values of positions [start, start + count) from one ring to the same slots of
   * another.
   */
  async copyPrefix(from: number, to: number, start: number, count: number): Promise<void> {
    const range = new Uint32Array([from, to, start % this.shape.S, count]);
    this.submitter.writeBuffer(this.activations.copiedRange, 0, range);
    await this.submitter.run([this.#prepared.copyPrefix]);
  }

  /**
   * Logits [V] after the token at `position`, the last of a prefill.
   * @throws if another token was the last
   */
  async logits(ring: number, position: number): Promise<Float32Array> {
    this.#held.takePrefilled({ ring, position });
    await this.submitter.run([this.#stepOf([{ ring }]).logits]);
    return this.#readLogits(0);
  }

  /** Another text begins in this ring: nothing is picked after the one before. */
  begin(ring: number): void {
    this.#held.begin(ring);
  }

  /** Sets how the next tokens of a ring's sequence are chosen: see `Sampler`. @throws RangeError */
  configure(ring: number, options: SamplerOptions): void {
    this.begin(ring);
    this.#sampler.configure(ring, options);
  }

  /** Counts an answer to which tokens were added: see `Sampler`. */
  recount(ring: number, prompt: readonly number[], answer: readonly number[]): void {
    this.#sampler.recount(ring, prompt, answer);
  }

  /** Sets which tokens may be picked next for a ring's sequence: see `Sampler`. @throws RangeError */
  setMask(ring: number, mask: Uint32Array<ArrayBuffer>): void {
    this.#sampler.setMask(ring, mask);
  }

  /**
   * Picks the token after the one at `position`, the last of a prefill.
   * @param beforePick may set masks: called when all but the sampler is submitted
   * @throws if another token was the last
   */
  async first(ring: number, position: number, wantsLogits = false, beforePick?: () => void): Promise<Picked> {
    this.#held.takePrefilled({ ring, position });
    const step = this.#stepOf([{ ring }]);
    const [picked] = await this.#pick(step, [step.logits], 1, wantsLogits ? [0] : [], beforePick);
    return picked!;
  }

  /**
   * Runs the last picked token of each row through the model, and picks the next ones. At most
   * STEPS_IN_FLIGHT calls may be unresolved.
   * @param rows the rows that were set, at their present positions
   * @param withLogits rows whose logits are wanted
   * @param beforePick as for `first`
   * @throws if other rows were set
   */
  async step(
    rows: readonly RowPlace[] = this.#held.rows,
    withLogits: readonly number[] = [],
    beforePick?: () => void,
  ): Promise<Picked[]> {
    this.#held.takeStep(rows);
    const step = this.#stepOf(rows);
    return this.#pick(step, [this.#layersOf(rows), step.logits], rows.length, withLogits, beforePick);
  }

  /** What a pass of these rings runs. */
  listsOf(rings: readonly number[]): Lists {
    return this.adapters?.listsFor(rings) ?? this.#prepared.lists;
  }

  #stepOf(rows: readonly Pick<RowPlace, "ring">[]): StepLists {
    return this.listsOf(rows.map(({ ring }) => ring)).steps[rows.length - 1]!;
  }

  #layersOf(rows: readonly RowPlace[]): readonly Dispatch[] {
    return decodeList(this.#stepOf(rows), this.shape, rows);
  }

  async #pick(
    { sample }: StepLists,
    passes: readonly (readonly Dispatch[])[],
    count: number,
    withLogits: readonly number[],
    beforePick: (() => void) | undefined,
  ): Promise<Picked[]> {
    if (withLogits.length === 0 && !beforePick) {
      const ids = await this.readback.tokens([...passes, sample], count);
      return ids.map((id) => ({ id }));
    }
    void this.submitter.run(passes);
    // Copied before the sampler, which overwrites them.
    const copies = Promise.all(withLogits.map((row) => this.#readLogits(row)));
    beforePick?.();
    const [ids, logits] = await Promise.all([this.readback.tokens([sample], count), copies]);
    return ids.map((id, row) => {
      const at = withLogits.indexOf(row);
      return at < 0 ? { id } : { id, logits: logits[at]! };
    });
  }

  async #readLogits(row: number): Promise<Float32Array> {
    const { logits } = this.activations.decode;
    const stride = logits.size / this.shape.parallel;
    return new Float32Array(await this.readback.bytes(logits, row * stride, 4 * this.shape.V));
  }
}
