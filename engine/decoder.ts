// The dispatches of forward.ts made ready, and the few things done with them: prefill, decode a step, score, read back.
import { NO_TARGET, type SamplingSettings, samplingParams } from "../kernels/index.ts";
import { type Activations, SCORE_ROWS } from "./activations.ts";
import type { Buffers } from "./buffers.ts";
import { STEPS_IN_FLIGHT } from "./cache.ts";
import type { Gpu } from "./device.ts";
import { choose, decode, head, prefill, score } from "./forward.ts";
import { type Dispatch, encode, type Launch, type Pipelines, readBuffer } from "./gpu.ts";
import type { Shape } from "./shape.ts";
import type { Weights } from "./weights.ts";

const MAP_READ = 1;
const IN_PROMPT = 0x80000000;
/** Between these others run. */
const RETRACED_AT_ONCE = 32;

type Passes = Readonly<Record<"prefill" | "decode" | "head" | "choose" | "score", readonly Dispatch[]>>;

export class Decoder {
  readonly shape: Shape;
  readonly #gpu: Gpu;
  readonly #activations: Activations;
  readonly #passes: Passes;
  /** Four bytes a token come back through these in turn; one more than the steps in flight. */
  readonly #staging: readonly GPUBuffer[];
  #turn = 0;
  #biased = false;

  private constructor(
    gpu: Gpu,
    shape: Shape,
    activations: Activations,
    passes: Passes,
    staging: GPUBuffer[],
  ) {
    this.#gpu = gpu;
    this.shape = shape;
    this.#activations = activations;
    this.#passes = passes;
    this.#staging = staging;
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
        decode: await ready(decode(shape, weights, activations)),
        head: await ready(head(shape, weights, activations)),
        choose: await ready(choose(shape, activations)),
        score: await ready(score(shape, weights, activations)),
      };
      const staging = Array.from({ length: STEPS_IN_FLIGHT + 1 }, (_, i) =>
        buffers.staging(`token ${i}`, shape.B),
      );
      return new Decoder(gpu, shape, activations, passes, staging);
    });
  }

  /** The list of dispatches of one decoded token, as it runs. */
  get stepDispatches(): readonly Dispatch[] {
    return [...this.#passes.decode, ...this.#passes.head, ...this.#passes.choose];
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
   * The next step runs this token at this position. Where the positions before have no keys and values, it takes as long, only
   * its ids mean nothing.
   */
  moveTo(position: number, id = 0): void {
    this.#gpu.device.queue.writeBuffer(
      this.#activations.decode.rows,
      0,
      new Uint32Array([id, position, 0, 0]),
    );
  }

  /**
   * Writes the tokens' keys and values and leaves the last one's residual stream for `logits` or `sample`.
   * Runs in chunks and lets others run between them.
   * @param start position of ids[0]
   */
  async prefill(ids: readonly number[], start: number, signal?: AbortSignal): Promise<void> {
    const { chunkLength } = this.shape;
    for (let at = 0; at < ids.length; at += chunkLength) {
      signal?.throwIfAborted();
      const chunk = ids.slice(at, at + chunkLength);
      this.#prefillChunk(chunk, start + at, at + chunk.length === ids.length);
      await this.#gpu.settle(this.#gpu.device.queue.onSubmittedWorkDone());
    }
  }

  /**
   * Writes the keys and values of an answer's tokens anew, by the passes that wrote them first: to the same bits, where a prefill
   * would round differently. Nothing is picked.
   * @param start position of ids[0]
   */
  async retrace(ids: readonly number[], start: number, signal?: AbortSignal): Promise<void> {
    for (let at = 0; at < ids.length; at += RETRACED_AT_ONCE) {
      signal?.throwIfAborted();
      ids.slice(at, at + RETRACED_AT_ONCE).forEach((id, i) => {
        this.moveTo(start + at + i, id);
        this.#submit([this.#passes.decode]);
      });
      await this.#gpu.settle(this.#gpu.device.queue.onSubmittedWorkDone());
    }
  }

  #prefillChunk(ids: readonly number[], position: number, last: boolean): void {
    const { device } = this.#gpu;
    const { prefill: p, decode: d } = this.#activations;
    const T = ids.length;
    const rows = Uint32Array.from(
      { length: 4 * T },
      (_, i) => [ids[i >> 2]!, position + (i >> 2), 0, T][i % 4]!,
    );
    device.queue.writeBuffer(p.rows, 0, rows);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encode(pass, this.#passes.prefill, T);
    pass.end();
    if (last) {
      const rowBytes = d.x.size / this.shape.B;
      encoder.copyBufferToBuffer(p.x, (T - 1) * rowBytes, d.x, 0, rowBytes);
      // The sampler moves this on to the position of the token that it picks.
      device.queue.writeBuffer(d.rows, 0, new Uint32Array([ids[T - 1]!, position + T - 1, 0, 0]));
    }
    device.queue.submit([encoder.finish()]);
  }

  /** Logits [V] after the last token of a prefill. */
  async logits(): Promise<Float32Array> {
    const { device } = this.#gpu;
    this.#submit([this.#passes.head]);
    const bytes = await this.#gpu.settle(
      readBuffer(device, this.#activations.decode.logits, 0, 4 * this.shape.V),
    );
    return new Float32Array(bytes);
  }

  /**
   * Options for the tokens to come. `prompt` counts for the repetition penalty, what there is of the answer for all of them.
   * @throws RangeError
   */
  configure(
    settings: SamplingSettings,
    seed: number,
    prompt: readonly number[],
    answer: readonly number[] = [],
  ): void {
    const { queue } = this.#gpu.device;
    const { counts, bias, params } = this.#activations.sampler;
    const { V } = this.shape;
    queue.writeBuffer(params, 0, samplingParams(settings, seed));
    const seen = new Uint32Array(V);
    for (const id of prompt) seen[id] = IN_PROMPT;
    for (const id of answer) seen[id]! += 1;
    queue.writeBuffer(counts, 0, seen);
    const biases = Object.entries(settings.logitBias ?? {});
    if (biases.length > 0 || this.#biased) {
      const values = new Float32Array(V);
      for (const [id, value] of biases) values[checkedId(Number(id), V)] = value;
      queue.writeBuffer(bias, 0, values);
      this.#biased = biases.length > 0;
    }
  }

  /** Picks the first token after a prefill. Resolves to its id. */
  first(): Promise<number> {
    return this.#submitToken([this.#passes.head, this.#passes.choose]);
  }

  /** Runs the token picked last through the model and picks the next. At most STEPS_IN_FLIGHT may be unresolved. */
  step(): Promise<number> {
    return this.#submitToken([this.#passes.decode, this.#passes.head, this.#passes.choose]);
  }

  /** `first` or `step`, with the logits [V] that the token is picked from, before penalties. One at a time. */
  async observed(which: "first" | "step"): Promise<{ readonly id: number; readonly logits: Float32Array }> {
    const { device } = this.#gpu;
    this.#submit(which === "first" ? [this.#passes.head] : [this.#passes.decode, this.#passes.head]);
    // Copied before the sampler, which works in their place.
    const bytes = readBuffer(device, this.#activations.decode.logits, 0, 4 * this.shape.V);
    const [id, copy] = await Promise.all([this.#submitToken([this.#passes.choose]), this.#gpu.settle(bytes)]);
    return { id, logits: new Float32Array(copy) };
  }

  /** Log-probabilities of ids[1 …], given all before; begins the ring anew. */
  async score(ids: readonly number[], signal?: AbortSignal): Promise<Float32Array> {
    const { device } = this.#gpu;
    const { targets, logProbs } = this.#activations.prefill;
    const step = Math.min(SCORE_ROWS, this.shape.chunkLength);
    const result = new Float32Array(ids.length - 1);
    for (let at = 0; at < ids.length - 1; at += step) {
      signal?.throwIfAborted();
      const chunk = ids.slice(at, Math.min(at + step, ids.length - 1));
      this.#prefillChunk(chunk, at, false);
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

  #submit(passes: readonly (readonly Dispatch[])[], staging?: GPUBuffer): void {
    const { device } = this.#gpu;
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const dispatches of passes) encode(pass, dispatches);
    pass.end();
    if (staging) encoder.copyBufferToBuffer(this.#activations.decode.rows, 0, staging, 0, 4);
    device.queue.submit([encoder.finish()]);
  }

  async #submitToken(passes: readonly (readonly Dispatch[])[]): Promise<number> {
    const staging = this.#staging[this.#turn]!;
    this.#turn = (this.#turn + 1) % this.#staging.length;
    this.#submit(passes, staging);
    try {
      const mapped = staging.mapAsync(MAP_READ).then(() => staging.getMappedRange());
      return new Uint32Array(await this.#gpu.settle(mapped))[0]!;
    } finally {
      // Left mapped by an error, it could never be copied into again.
      staging.unmap();
    }
  }
}

function checkedId(id: number, V: number): number {
  if (Number.isInteger(id) && id >= 0 && id < V) return id;
  throw new RangeError(`logitBias: expected token ids from 0 to ${V - 1}, got ${id}.`);
}
