// Runs the lists of prepare.ts: prefill, a decode step, a score; and reads tokens and logits back.
import { LOG_PROB_RESULTS, NO_TARGET } from "../../kernels/index.ts";
import type { Dispatch } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Submitter } from "../gpu/submitter.ts";
import { type Activations, SCORE_ROWS } from "./activations.ts";
import { HeldRows, type RowPlace } from "./held-rows.ts";
import { checkIds } from "./prompt-ids.ts";
import { Readback } from "./readback.ts";
import { Sampler, type SamplerOptions } from "./sampler.ts";
import type { Shape } from "./shape.ts";
import { decodeList, type StepLists } from "./step-lists.ts";

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

/** Results of `score`: a row for each scored token. */
export interface Scored {
  /** [rows, 1 + top]: the token's, then those of the likeliest tokens. */
  readonly logProbs: Float32Array;
  /** [rows, 1 + top]: the token's rank, then the ids of the likeliest tokens. */
  readonly tokens: Uint32Array;
}

interface Prepared {
  readonly prefill: readonly Dispatch[];
  readonly score: readonly Dispatch[];
  /** Empty if there is one ring only. */
  readonly copyPrefix: readonly Dispatch[];
  /** steps[n - 1] is the step of n rows, up to `parallel`. */
  readonly steps: readonly StepLists[];
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
  readonly #readback: Readback;
  readonly #sampler: Sampler;
  readonly #held = new HeldRows();

  constructor(gpu: Gpu, submitter: Submitter, shape: Shape, activations: Activations, prepared: Prepared) {
    this.#gpu = gpu;
    this.submitter = submitter;
    this.shape = shape;
    this.activations = activations;
    this.#prepared = prepared;
    this.#readback = new Readback(gpu, submitter, activations.decode.rows, prepared.staging);
    this.#sampler = new Sampler(submitter, activations.sampler, shape.V);
  }

  /** The dispatches of a step whose rows are at these positions. */
  dispatchesOf(...positions: readonly number[]): readonly Dispatch[] {
    const rows = positions.map((position) => ({ position }));
    const { logits, sample } = this.#stepOf(rows.length);
    return [...this.#layersOf(rows), ...logits, ...sample];
  }

  /** The dispatches of a prefill pass of `chunkLength` tokens. */
  get prefillDispatches(): readonly Dispatch[] {
    return this.#prepared.prefill;
  }

  /**
   * Sets the rows of the next step; the sampler advances them for the steps after. If earlier positions have
   * no keys and values, a step takes as long as always, but its ids mean nothing.
   * @param first number of rows that stay, as the sampler has them
   */
  setRows(rows: readonly Row[], first = 0): void {
    if (rows.length > 0) this.#checkIds(rows.map(({ id }) => id));
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
        await this.submitter.run([this.#layersOf([{ position }])], { signal });
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
    this.#checkIds(ids);
    const rows = Uint32Array.from(
      { length: 4 * T },
      (_, i) => [ids[i >> 2]!, position + (i >> 2), ring, T][i % 4]!,
    );
    this.submitter.writeBuffer(p.rows, 0, rows);
    const rowBytes = d.x.size / this.shape.parallel;
    await this.submitter.run([this.#prepared.prefill], {
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
  #checkIds(ids: readonly number[]): void {
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
    await this.submitter.run([this.#stepOf(1).logits]);
    return this.#readLogits(0);
  }

  /** Sets how the next tokens of a ring's sequence are chosen: see `Sampler`. @throws RangeError */
  configure(ring: number, options: SamplerOptions): void {
    this.#held.begin(ring);
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
    const [picked] = await this.#pick([this.#stepOf(1).logits], 1, wantsLogits ? [0] : [], beforePick);
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
    const { logits } = this.#stepOf(rows.length);
    return this.#pick([this.#layersOf(rows), logits], rows.length, withLogits, beforePick);
  }

  /**
   * Log-probabilities and ranks of ids[start + 1 …], each given all tokens before it. Yields between chunks,
   * so that others may run.
   * @param start the ring holds the tokens before
   * @param top how many of the likeliest tokens are added to each row, at most MAX_LIKELIEST and V
   */
  async *score(
    ring: number,
    ids: readonly number[],
    signal?: AbortSignal,
    start = 0,
    top = 0,
  ): AsyncGenerator<void, Scored, void> {
    this.#checkIds(ids);
    const { submitter } = this;
    const { targets, logProbs, tokens } = this.activations.prefill;
    const step = Math.min(SCORE_ROWS, this.shape.chunkLength);
    const width = 1 + top;
    const words = width * (ids.length - 1 - start);
    const result = { logProbs: new Float32Array(words), tokens: new Uint32Array(words) };
    this.#held.begin(ring);
    for (let at = start; at < ids.length - 1; at += step) {
      if (at > start) yield;
      signal?.throwIfAborted();
      const chunk = ids.slice(at, Math.min(at + step, ids.length - 1));
      await this.#prefillChunk(ring, chunk, at, false, signal);
      const next = Array.from({ length: SCORE_ROWS }, (_, i) =>
        i < chunk.length ? [ids[at + i + 1]!, top] : [NO_TARGET, 0],
      );
      submitter.writeBuffer(targets, 0, new Uint32Array(next.flat()));
      await submitter.run([this.#prepared.score], { signal });
      const bytes = 4 * LOG_PROB_RESULTS * chunk.length;
      const read = (buffer: GPUBuffer) => this.#readback.bytes(buffer, 0, bytes);
      const [chances, found] = await Promise.all([read(logProbs), read(tokens)]);
      for (const i of chunk.keys()) {
        const row = [4 * LOG_PROB_RESULTS * i, width] as const;
        result.logProbs.set(new Float32Array(chances, ...row), width * (at - start + i));
        result.tokens.set(new Uint32Array(found, ...row), width * (at - start + i));
      }
    }
    return result;
  }

  #stepOf(count: number): StepLists {
    return this.#prepared.steps[count - 1]!;
  }

  #layersOf(rows: readonly Pick<RowPlace, "position">[]): readonly Dispatch[] {
    return decodeList(this.#stepOf(rows.length), this.shape, rows);
  }

  async #pick(
    passes: readonly (readonly Dispatch[])[],
    count: number,
    withLogits: readonly number[],
    beforePick: (() => void) | undefined,
  ): Promise<Picked[]> {
    const { sample } = this.#stepOf(count);
    if (withLogits.length === 0 && !beforePick) {
      const ids = await this.#readback.tokens([...passes, sample], count);
      return ids.map((id) => ({ id }));
    }
    void this.submitter.run(passes);
    // Copied before the sampler, which overwrites them.
    const copies = Promise.all(withLogits.map((row) => this.#readLogits(row)));
    beforePick?.();
    const [ids, logits] = await Promise.all([this.#readback.tokens([sample], count), copies]);
    return ids.map((id, row) => {
      const at = withLogits.indexOf(row);
      return at < 0 ? { id } : { id, logits: logits[at]! };
    });
  }

  async #readLogits(row: number): Promise<Float32Array> {
    const { logits } = this.activations.decode;
    const stride = logits.size / this.shape.parallel;
    return new Float32Array(await this.#readback.bytes(logits, row * stride, 4 * this.shape.V));
  }
}
