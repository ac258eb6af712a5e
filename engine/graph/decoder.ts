// Runs the lists of prepare.ts: prefill, a decode step, a score; and reads tokens and logits back.
import { NO_TARGET } from "../../kernels/index.ts";
import { type Dispatch, encode, MAP_READ, readBuffer } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { type Activations, SCORE_ROWS } from "./activations.ts";
import { HeldRows, type RowPlace } from "./held-rows.ts";
import { checkIds } from "./prompt-ids.ts";
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
  readonly #gpu: Gpu;
  readonly #prepared: Prepared;
  /** Which of the staging buffers is next. */
  #turn = 0;
  readonly #sampler: Sampler;
  readonly #held = new HeldRows();

  constructor(gpu: Gpu, shape: Shape, activations: Activations, prepared: Prepared) {
    this.#gpu = gpu;
    this.shape = shape;
    this.activations = activations;
    this.#prepared = prepared;
    this.#sampler = new Sampler(gpu.device.queue, activations.sampler, shape.V);
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
   */
  setRows(rows: readonly Row[]): void {
    this.#checkIds(rows.map(({ id }) => id));
    this.#held.set(rows);
    const words = rows.flatMap(({ id, position, ring }) => [id, position, ring, 0]);
    this.#gpu.device.queue.writeBuffer(this.activations.decode.rows, 0, new Uint32Array(words));
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
    for (let at = 0; at < ids.length; ) {
      if (at > 0) yield;
      signal?.throwIfAborted();
      at += this.prefillChunk(ring, ids.slice(at), start + at);
      await this.done();
    }
  }

  /**
   * Submits one chunk: the keys and values of as many of `ids` as it holds. If that is all of them, it also
   * keeps the residual stream of the last one for `first`, whose row replaces those that were set.
   * @returns the number of tokens in the chunk
   */
  prefillChunk(ring: number, ids: readonly number[], start: number): number {
    const chunk = ids.slice(0, this.shape.chunkLength);
    this.#prefillChunk(ring, chunk, start, chunk.length === ids.length);
    return chunk.length;
  }

  /** Resolves when all submitted work is done. */
  async done(): Promise<void> {
    await this.#gpu.settle(this.#gpu.device.queue.onSubmittedWorkDone());
  }

  /**
   * Computes the keys and values of an answer's tokens again, by decode steps as the first time. A prefill
   * would round differently. No token is picked.
   * @param start position of ids[0]
   */
  async retrace(ring: number, ids: readonly number[], start: number, signal?: AbortSignal): Promise<void> {
    for (let at = 0; at < ids.length; at += RETRACED_TOGETHER) {
      signal?.throwIfAborted();
      ids.slice(at, at + RETRACED_TOGETHER).forEach((id, i) => {
        const position = start + at + i;
        this.setRow(position, id, ring);
        this.#submit([this.#layersOf([{ position }])]);
      });
      await this.done();
    }
  }

  #prefillChunk(ring: number, ids: readonly number[], position: number, isLast: boolean): void {
    const { device } = this.#gpu;
    const { prefill: p, decode: d } = this.activations;
    const T = ids.length;
    this.#checkIds(ids);
    const rows = Uint32Array.from(
      { length: 4 * T },
      (_, i) => [ids[i >> 2]!, position + (i >> 2), ring, T][i % 4]!,
    );
    device.queue.writeBuffer(p.rows, 0, rows);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encode(pass, this.#prepared.prefill, T);
    pass.end();
    if (isLast) {
      const rowBytes = d.x.size / this.shape.parallel;
      encoder.copyBufferToBuffer(p.x, (T - 1) * rowBytes, d.x, 0, rowBytes);
      // The sampler advances this row to the position of the token that it picks.
      this.setRow(position + T - 1, ids[T - 1]!, ring);
      this.#held.prefill({ ring, position: position + T - 1 });
    }
    device.queue.submit([encoder.finish()]);
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
  copyPrefix(from: number, to: number, start: number, count: number): void {
    const range = new Uint32Array([from, to, start % this.shape.S, count]);
    this.#gpu.device.queue.writeBuffer(this.activations.copiedRange, 0, range);
    this.#submit([this.#prepared.copyPrefix]);
  }

  /**
   * Logits [V] after the token at `position`, the last of a prefill.
   * @throws if another token was the last
   */
  async logits(ring: number, position: number): Promise<Float32Array> {
    this.#held.takePrefilled({ ring, position });
    this.#submit([this.#stepOf(1).logits]);
    return this.#readLogits(0);
  }

  /** Sets how the next tokens of a ring's sequence are chosen: see `Sampler`. @throws RangeError */
  configure(ring: number, options: SamplerOptions): void {
    this.#held.begin(ring);
    this.#sampler.configure(ring, options);
  }

  /** Sets which tokens may be picked next for a ring's sequence: see `Sampler`. @throws RangeError */
  setMask(ring: number, mask: Uint32Array<ArrayBuffer>): void {
    this.#sampler.setMask(ring, mask);
  }

  /**
   * Picks the token after the one at `position`, the last of a prefill.
   * @throws if another token was the last
   */
  async first(ring: number, position: number, wantsLogits = false): Promise<Picked> {
    this.#held.takePrefilled({ ring, position });
    const [picked] = await this.#pick([this.#stepOf(1).logits], 1, wantsLogits ? [0] : []);
    return picked!;
  }

  /**
   * Runs the last picked token of each row through the model, and picks the next ones. At most
   * STEPS_IN_FLIGHT calls may be unresolved.
   * @param rows the rows that were set, at their present positions
   * @param withLogits rows whose logits are wanted
   * @throws if other rows were set
   */
  async step(
    rows: readonly RowPlace[] = this.#held.rows,
    withLogits: readonly number[] = [],
  ): Promise<Picked[]> {
    this.#held.takeStep(rows);
    const { logits } = this.#stepOf(rows.length);
    return this.#pick([this.#layersOf(rows), logits], rows.length, withLogits);
  }

  /**
   * Log-probabilities of ids[1 …], each given all tokens before it. Begins the ring anew. Yields between
   * chunks, so that others may run.
   */
  async *score(
    ring: number,
    ids: readonly number[],
    signal?: AbortSignal,
  ): AsyncGenerator<void, Float32Array, void> {
    this.#checkIds(ids);
    const { device } = this.#gpu;
    const { targets, logProbs } = this.activations.prefill;
    const step = Math.min(SCORE_ROWS, this.shape.chunkLength);
    const result = new Float32Array(ids.length - 1);
    this.#held.begin(ring);
    for (let at = 0; at < ids.length - 1; at += step) {
      if (at > 0) yield;
      signal?.throwIfAborted();
      const chunk = ids.slice(at, Math.min(at + step, ids.length - 1));
      this.#prefillChunk(ring, chunk, at, false);
      const next = Uint32Array.from({ length: SCORE_ROWS }, (_, i) =>
        i < chunk.length ? ids[at + i + 1]! : NO_TARGET,
      );
      device.queue.writeBuffer(targets, 0, next);
      this.#submit([this.#prepared.score]);
      const bytes = await this.#gpu.settle(readBuffer(device, logProbs, 0, 4 * chunk.length));
      result.set(new Float32Array(bytes), at);
    }
    return result;
  }

  #stepOf(count: number): StepLists {
    return this.#prepared.steps[count - 1]!;
  }

  #layersOf(rows: readonly Pick<RowPlace, "position">[]): readonly Dispatch[] {
    return decodeList(this.#stepOf(rows.length), this.shape, rows);
  }

  /** @param copy after the passes, copies this many rows to a staging buffer */
  #submit(
    passes: readonly (readonly Dispatch[])[],
    copy?: { readonly rows: number; readonly to: GPUBuffer },
  ): void {
    const { device } = this.#gpu;
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const dispatches of passes) encode(pass, dispatches);
    pass.end();
    if (copy) encoder.copyBufferToBuffer(this.activations.decode.rows, 0, copy.to, 0, 16 * copy.rows);
    device.queue.submit([encoder.finish()]);
  }

  async #pick(
    passes: readonly (readonly Dispatch[])[],
    count: number,
    withLogits: readonly number[],
  ): Promise<Picked[]> {
    const { sample } = this.#stepOf(count);
    if (withLogits.length === 0) {
      const ids = await this.#submitTokens([...passes, sample], count);
      return ids.map((id) => ({ id }));
    }
    this.#submit(passes);
    // Copied before the sampler, which overwrites them.
    const copies = Promise.all(withLogits.map((row) => this.#readLogits(row)));
    const [ids, logits] = await Promise.all([this.#submitTokens([sample], count), copies]);
    return ids.map((id, row) => {
      const at = withLogits.indexOf(row);
      return at < 0 ? { id } : { id, logits: logits[at]! };
    });
  }

  async #submitTokens(passes: readonly (readonly Dispatch[])[], count: number): Promise<number[]> {
    const { staging: buffers } = this.#prepared;
    const staging = buffers[this.#turn]!;
    this.#turn = (this.#turn + 1) % buffers.length;
    this.#submit(passes, { rows: count, to: staging });
    try {
      const mapped = staging.mapAsync(MAP_READ).then(() => staging.getMappedRange());
      const rows = new Uint32Array(await this.#gpu.settle(mapped));
      return Array.from({ length: count }, (_, row) => rows[4 * row]!);
    } finally {
      // A buffer left mapped after an error could not be a copy's destination again.
      staging.unmap();
    }
  }

  async #readLogits(row: number): Promise<Float32Array> {
    const { logits } = this.activations.decode;
    const stride = logits.size / this.shape.parallel;
    const bytes = readBuffer(this.#gpu.device, logits, row * stride, 4 * this.shape.V);
    return new Float32Array(await this.#gpu.settle(bytes));
  }
}
