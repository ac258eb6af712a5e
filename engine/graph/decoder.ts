// The dispatches of forward.ts made ready, and the few things done with them: prefill, decode a step, score, read back.
import { NO_TARGET } from "../../kernels/index.ts";
import type { Buffers } from "../gpu/buffers.ts";
import { type Dispatch, encode, type Launch, type Pipelines, readBuffer } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { type Activations, SCORE_ROWS } from "./activations.ts";
import { copyPrefix, prefill, score } from "./forward.ts";
import { HeldRows, type RowPlace } from "./held-rows.ts";
import { checkIds } from "./prompt-ids.ts";
import { Sampler, type SamplerOptions } from "./sampler.ts";
import { type Shape, STEPS_IN_FLIGHT } from "./shape.ts";
import { prepareSteps, type StepPasses } from "./step-passes.ts";
import type { Weights } from "./weights.ts";

const MAP_READ = 1;
/** Between these others run. */
const RETRACED_AT_ONCE = 32;

/** A row of a step: which token of which sequence runs where. */
export interface Row extends RowPlace {
  readonly id: number;
}

/** What a step gave for a row. */
export interface Picked {
  readonly id: number;
  /** [V], what the id was picked from, before penalties: where it was asked for. */
  readonly logits?: Float32Array;
}

type Passes = Readonly<Record<"prefill" | "score" | "copyRing", readonly Dispatch[]>>;

export class Decoder {
  readonly shape: Shape;
  readonly #gpu: Gpu;
  readonly #activations: Activations;
  readonly #passes: Passes;
  /** For 1, 2, 3, … rows: reckoned at load, since a token has little time on the host. */
  readonly #steps: readonly StepPasses[];
  /** 16 bytes a token come back through these in turn; one more than the steps in flight. */
  readonly #staging: readonly GPUBuffer[];
  #turn = 0;
  readonly #sampler: Sampler;
  readonly #held = new HeldRows();

  private constructor(
    gpu: Gpu,
    shape: Shape,
    activations: Activations,
    passes: Passes,
    steps: readonly StepPasses[],
    staging: GPUBuffer[],
  ) {
    this.#gpu = gpu;
    this.shape = shape;
    this.#activations = activations;
    this.#passes = passes;
    this.#steps = steps;
    this.#staging = staging;
    this.#sampler = new Sampler(gpu.device.queue, activations.sampler, shape.V);
  }

  /** Compiles every pipeline and makes every bind group: a decoded token makes none. */
  static async prepare(
    gpu: Gpu,
    pipelines: Pipelines,
    buffers: Buffers,
    shape: Shape,
    weights: Weights,
    activations: Activations,
  ): Promise<Decoder> {
    const ready = (launches: Launch[]) => Promise.all(launches.map((launch) => pipelines.prepare(launch)));
    return gpu.scoped(async () => {
      const passes = {
        prefill: await ready(prefill(shape, weights, activations)),
        score: await ready(score(shape, weights, activations)),
        copyRing: await ready(shape.B > 1 ? copyPrefix(shape, activations) : []),
      };
      const steps = await prepareSteps(shape, weights, activations, ready);
      const staging = Array.from({ length: STEPS_IN_FLIGHT + 1 }, (_, i) =>
        buffers.staging(`tokens ${i}`, 4 * shape.parallel),
      );
      return new Decoder(gpu, shape, activations, passes, steps, staging);
    });
  }

  /** The list of dispatches of one decoded token, as it runs. */
  get stepDispatches(): readonly Dispatch[] {
    return this.dispatchesOf(1);
  }

  /** The list of dispatches of a step of so many rows. */
  dispatchesOf(count: number): readonly Dispatch[] {
    const { decode, logits, sample } = this.#stepOf(count);
    return [...decode, ...logits, ...sample];
  }

  /** The list of dispatches of a prefill pass, prepared for `chunkLength` tokens. */
  get prefillDispatches(): readonly Dispatch[] {
    return this.#passes.prefill;
  }

  /** The buffers that the passes work in, to look into between two dispatches. */
  get activations(): Activations {
    return this.#activations;
  }

  /**
   * What the rows of the next step run; the sampler moves them on for the steps after. Where the positions before have no keys
   * and values, a step takes as long, only its ids mean nothing.
   */
  setRows(rows: readonly Row[]): void {
    this.#checkIds(rows.map(({ id }) => id));
    this.#held.set(rows);
    const words = rows.flatMap(({ id, position, ring }) => [id, position, ring, 0]);
    this.#gpu.device.queue.writeBuffer(this.#activations.decode.rows, 0, new Uint32Array(words));
  }

  /** The next step has one row: this token at this position. */
  setRow(position: number, id = 0, ring = 0): void {
    this.setRows([{ ring, position, id }]);
  }

  /** As `prefillInChunks`, without a pause. */
  async prefill(ring: number, ids: readonly number[], start: number, signal?: AbortSignal): Promise<void> {
    for await (const _ of this.prefillInChunks(ring, ids, start, signal));
  }

  /**
   * Writes the tokens' keys and values and leaves the last one's residual stream for `logits` or `first`.
   * Yields between chunks: others may run.
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
   * Writes the keys and values of as many of `ids` as a chunk holds; where these are all, leaves the last one's residual stream
   * for `first`, and its row in place of those that were arranged.
   * @returns how many
   */
  prefillChunk(ring: number, ids: readonly number[], start: number): number {
    const chunk = ids.slice(0, this.shape.chunkLength);
    this.#prefillChunk(ring, chunk, start, chunk.length === ids.length);
    return chunk.length;
  }

  /** Until all that was submitted is done. */
  async done(): Promise<void> {
    await this.#gpu.settle(this.#gpu.device.queue.onSubmittedWorkDone());
  }

  /**
   * Writes the keys and values of an answer's tokens anew, by the passes that wrote them first: to the same bits, where a prefill
   * would round differently. Nothing is picked.
   * @param start position of ids[0]
   */
  async retrace(ring: number, ids: readonly number[], start: number, signal?: AbortSignal): Promise<void> {
    for (let at = 0; at < ids.length; at += RETRACED_AT_ONCE) {
      signal?.throwIfAborted();
      ids.slice(at, at + RETRACED_AT_ONCE).forEach((id, i) => {
        this.setRow(start + at + i, id, ring);
        this.#submit([this.#stepOf(1).decode]);
      });
      await this.done();
    }
  }

  #prefillChunk(ring: number, ids: readonly number[], position: number, last: boolean): void {
    const { device } = this.#gpu;
    const { prefill: p, decode: d } = this.#activations;
    const T = ids.length;
    this.#checkIds(ids);
    const rows = Uint32Array.from(
      { length: 4 * T },
      (_, i) => [ids[i >> 2]!, position + (i >> 2), ring, T][i % 4]!,
    );
    device.queue.writeBuffer(p.rows, 0, rows);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encode(pass, this.#passes.prefill, T);
    pass.end();
    if (last) {
      const rowBytes = d.x.size / this.shape.parallel;
      encoder.copyBufferToBuffer(p.x, (T - 1) * rowBytes, d.x, 0, rowBytes);
      // The sampler moves this on to the position of the token that it picks.
      this.setRow(position + T - 1, ids[T - 1]!, ring);
      this.#held.prefill({ ring, position: position + T - 1 });
    }
    device.queue.submit([encoder.finish()]);
  }

  /** The last wall before the GPU, which would read past the embedding. Callers check before, with better words. */
  #checkIds(ids: readonly number[]): void {
    checkIds(ids, this.shape.V, "ids");
  }

  /** Copies keys and values of `count` positions from `start` on from one sequence's ring into the same slots of another's. */
  copyPrefix(from: number, to: number, start: number, count: number): void {
    const stretch = new Uint32Array([from, to, start % this.shape.S, count]);
    this.#gpu.device.queue.writeBuffer(this.#activations.stretch, 0, stretch);
    this.#submit([this.#passes.copyRing]);
  }

  /** Logits [V] after the token at `position`, the last of a prefill. @throws where another was */
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

  /** The tokens that may be picked next for a ring's sequence: see `Sampler`. @throws RangeError */
  setMask(ring: number, mask: Uint32Array<ArrayBuffer>): void {
    this.#sampler.setMask(ring, mask);
  }

  /** Picks the token after the one at `position`, the last of a prefill. @throws where another was */
  async first(ring: number, position: number, wantsLogits = false): Promise<Picked> {
    this.#held.takePrefilled({ ring, position });
    const { logits } = this.#stepOf(1);
    const [picked] = await this.#pick([logits], 1, wantsLogits ? [0] : []);
    return picked!;
  }

  /**
   * Runs the token picked last of each of these rows through the model and picks the next. At most STEPS_IN_FLIGHT may be
   * unresolved.
   * @param rows those that were arranged, where they are by now
   * @param wantsLogits rows whose logits are wanted
   * @throws where others were arranged
   */
  async step(
    rows: readonly RowPlace[] = this.#held.rows,
    wantsLogits: readonly number[] = [],
  ): Promise<Picked[]> {
    this.#held.takeStep(rows);
    const { decode, logits } = this.#stepOf(rows.length);
    return this.#pick([decode, logits], rows.length, wantsLogits);
  }

  /** Log-probabilities of ids[1 …], given all before; begins the sequence's ring anew. Yields between chunks: others may run. */
  async *score(
    ring: number,
    ids: readonly number[],
    signal?: AbortSignal,
  ): AsyncGenerator<void, Float32Array, void> {
    this.#checkIds(ids);
    const { device } = this.#gpu;
    const { targets, logProbs } = this.#activations.prefill;
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
      this.#submit([this.#passes.score]);
      const bytes = await this.#gpu.settle(readBuffer(device, logProbs, 0, 4 * chunk.length));
      result.set(new Float32Array(bytes), at);
    }
    return result;
  }

  #stepOf(count: number): StepPasses {
    return this.#steps[count - 1]!;
  }

  /** @param copy of so many rows to a staging buffer, behind the passes */
  #submit(
    passes: readonly (readonly Dispatch[])[],
    copy?: { readonly rows: number; readonly to: GPUBuffer },
  ): void {
    const { device } = this.#gpu;
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const dispatches of passes) encode(pass, dispatches);
    pass.end();
    if (copy) encoder.copyBufferToBuffer(this.#activations.decode.rows, 0, copy.to, 0, 16 * copy.rows);
    device.queue.submit([encoder.finish()]);
  }

  async #pick(
    passes: readonly (readonly Dispatch[])[],
    count: number,
    wantsLogits: readonly number[],
  ): Promise<Picked[]> {
    const { sample } = this.#stepOf(count);
    if (wantsLogits.length === 0) {
      const ids = await this.#submitTokens([...passes, sample], count);
      return ids.map((id) => ({ id }));
    }
    this.#submit(passes);
    // Copied before the sampler, which works in their place.
    const copies = Promise.all(wantsLogits.map((row) => this.#readLogits(row)));
    const [ids, logits] = await Promise.all([this.#submitTokens([sample], count), copies]);
    return ids.map((id, row) => {
      const at = wantsLogits.indexOf(row);
      return at < 0 ? { id } : { id, logits: logits[at]! };
    });
  }

  async #submitTokens(passes: readonly (readonly Dispatch[])[], count: number): Promise<number[]> {
    const staging = this.#staging[this.#turn]!;
    this.#turn = (this.#turn + 1) % this.#staging.length;
    this.#submit(passes, { rows: count, to: staging });
    try {
      const mapped = staging.mapAsync(MAP_READ).then(() => staging.getMappedRange());
      const rows = new Uint32Array(await this.#gpu.settle(mapped));
      return Array.from({ length: count }, (_, row) => rows[4 * row]!);
    } finally {
      // Left mapped by an error, it could never be copied into again.
      staging.unmap();
    }
  }

  async #readLogits(row: number): Promise<Float32Array> {
    const { logits } = this.#activations.decode;
    const stride = logits.size / this.shape.parallel;
    const bytes = readBuffer(this.#gpu.device, logits, row * stride, 4 * this.shape.V);
    return new Float32Array(await this.#gpu.settle(bytes));
  }
}
