// Times the variants of one kernel on the same buffers, and rejects those that give wrong numbers.
import type { Buffers } from "../gpu/buffers.ts";
import { type Dispatch, encode, MAP_READ } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { BatchClock } from "./batch-clock.ts";
import { fillBuffer } from "./fill-buffer.ts";
import { type Checked, INPUTS, OutputCheck } from "./output-check.ts";

/** Launches of each input in a check: a race may spare one. */
const CHECKED_LAUNCHES = 2;
/** The most launches of a batch. */
const MAX_LAUNCHES = 512;
/** No submit may take twice as long by the host's clock: slow adapters would stop a longer one. */
const MAX_SUBMIT_MS = 100;
/** Batches of which the least time counts: one may fall into a pause of the machine. */
const BATCHES = 3;
/** A variant that takes this many times as long as the best is timed roughly. */
const MUCH_SLOWER = 3;

/** NaN, so that an output that a launch does not write is found. */
const UNWRITTEN = Uint32Array.of(0x7fc00000);

/** A kernel with buffers for it. */
export interface Bench extends Checked {
  /** Numbers of rows that the model runs the kernel with. */
  readonly rowCounts: readonly number[];
  readonly outputs: GPUBuffer;
  /** Sets of buffers, at least INPUTS, which batches go round. Set s has input s % INPUTS. */
  readonly sets: number;
  /** The dispatches of a variant, those that prepare its input included. */
  prepare(variant: string, rows: number, set: number): Promise<readonly Dispatch[]>;
}

/** The dispatches of a variant, for each set of buffers. */
type Sets = readonly (readonly Dispatch[])[];

export class VariantBench {
  readonly #gpu: Gpu;
  readonly #clock: BatchClock;
  readonly #bench: Bench;
  readonly #check: OutputCheck;
  readonly #unwritten: GPUBuffer;
  readonly #staging: GPUBuffer;
  /** Milliseconds of a launch, by rows and variant. */
  readonly #times = new Map<number, Map<string, number>>();
  /** The next set of buffers. */
  #turn = 0;

  constructor(gpu: Gpu, clock: BatchClock, made: Buffers, bench: Bench) {
    this.#gpu = gpu;
    this.#clock = clock;
    this.#bench = bench;
    this.#check = new OutputCheck(bench);
    const words = Math.max(...bench.rowCounts) * bench.stride;
    this.#unwritten = made.storage("tuning NaN", words);
    fillBuffer(gpu.device, this.#unwritten, UNWRITTEN);
    this.#staging = made.staging("tuning outputs", (1 + CHECKED_LAUNCHES * INPUTS) * words);
  }

  get rowCounts(): readonly number[] {
    return this.#bench.rowCounts;
  }

  /** Why variants are out, by name. A variant that was measured may turn out to be wrong later. */
  get rejections(): ReadonlyMap<string, string> {
    return this.#check.rejections;
  }

  /** Compiles variants side by side. Errors are left to `measure`. */
  async compile(variants: readonly string[], rows: number): Promise<void> {
    const all = () => Promise.allSettled(variants.map((variant) => this.#bench.prepare(variant, rows, 0)));
    await this.#gpu.scoped(all).catch(() => this.#gpu.check());
  }

  /**
   * Microseconds of a launch, the least of several batches. Infinity if the variant is rejected: it does not
   * compile, or an output of a launch before, in or after the batches is wrong.
   */
  async measure(variant: string, rows: number): Promise<number> {
    let milliseconds = Infinity;
    try {
      await this.#gpu.scoped(async () => {
        const sets = await Promise.all(
          Array.from({ length: this.#bench.sets }, (_, set) => this.#bench.prepare(variant, rows, set)),
        );
        const atMost = await this.#checkOutputs(variant, rows, sets);
        if (this.rejections.has(variant)) return;
        milliseconds = await this.#time(variant, rows, sets, atMost);
        await this.#checkOutputs(variant, rows, sets, (this.#turn - 1) % sets.length);
      });
    } catch (error) {
      this.#gpu.check();
      this.#check.rejections.set(variant, (error as Error).message);
    }
    return this.rejections.has(variant) ? Infinity : 1000 * milliseconds;
  }

  /**
   * Milliseconds of a launch.
   * @param atMost milliseconds that a launch took by the host's clock
   */
  async #time(variant: string, rows: number, sets: Sets, atMost: number): Promise<number> {
    const clock = this.#clock;
    const times = this.#times.get(rows) ?? new Map<string, number>();
    this.#times.set(rows, times);
    const best = Math.min(
      ...[...times].filter(([rival]) => !this.rejections.has(rival)).map(([, time]) => time),
    );
    let launches = INPUTS * atMost > MAX_SUBMIT_MS ? 1 : INPUTS;
    const read = async () => {
      const began = performance.now();
      const time = await clock.time((pass) => {
        for (let i = 0; i < launches; i++) encode(pass, sets[this.#turn++ % sets.length]!);
      });
      return { time, hostMs: Math.max(0, performance.now() - began - clock.roundTripMs) };
    };
    // A long time counts only if it is read twice: the machine may have slept.
    const batch = async () => {
      const first = await read();
      const long = first.time > 2 * Math.min(launches * best, clock.batchMs) || first.hostMs > MAX_SUBMIT_MS;
      if (!long) return first;
      const again = await read();
      return { time: Math.min(first.time, again.time), hostMs: Math.min(first.hostMs, again.hostMs) };
    };
    let { time, hostMs } = await batch();
    const isTold = () => time >= 4 * clock.unitMs && time > MUCH_SLOWER * launches * best;
    while (time < clock.batchMs && !isTold()) {
      if (launches < MAX_LAUNCHES && hostMs < MAX_SUBMIT_MS) {
        // Timestamps may be wrong: the host's clock bounds how far the next batch may grow.
        const growth = Math.min((1.2 * clock.batchMs) / Math.max(time, clock.unitMs), MAX_SUBMIT_MS / hostMs);
        launches = Math.min(MAX_LAUNCHES, Math.ceil(launches * Math.max(2, growth)));
      } else if (time > 0 || !clock.distrust()) break;
      ({ time, hostMs } = await batch());
    }
    // A variant that takes twice as long as the best needs no more batches.
    for (let i = 1; i < BATCHES && time < 2 * launches * best; i++)
      time = Math.min(time, (await read()).time);
    times.set(variant, time / launches);
    return time / launches;
  }

  /**
   * Launches a variant on every input, each launch in a submit of its own, and compares every output.
   * @param last the set of the launch before, if its outputs are to be compared, too
   * @returns milliseconds that a launch took at most
   */
  async #checkOutputs(variant: string, rows: number, sets: Sets, last?: number): Promise<number> {
    const { device } = this.#gpu;
    const { outputs, stride } = this.#bench;
    const staging = this.#staging;
    const bytes = 4 * rows * stride;
    /** Inputs of the launches whose outputs are in the staging buffer. */
    const inputs: number[] = [];
    const take = (encoder: GPUCommandEncoder, set: number) => {
      encoder.copyBufferToBuffer(outputs, 0, staging, inputs.length * bytes, bytes);
      inputs.push(set % INPUTS);
      device.queue.submit([encoder.finish()]);
    };
    if (last !== undefined) take(device.createCommandEncoder(), last);
    const began = performance.now();
    for (let i = 0; i < CHECKED_LAUNCHES * INPUTS; i++) {
      const set = i % INPUTS;
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(this.#unwritten, 0, outputs, 0, bytes);
      const pass = encoder.beginComputePass();
      encode(pass, sets[set]!);
      pass.end();
      take(encoder, set);
    }
    await this.#gpu.settle(staging.mapAsync(MAP_READ, 0, inputs.length * bytes));
    const atMost = (performance.now() - began) / (CHECKED_LAUNCHES * INPUTS);
    const mapped = staging.getMappedRange(0, inputs.length * bytes);
    for (const [i, input] of inputs.entries()) {
      const values = new Float32Array(mapped, i * bytes, rows * stride);
      this.#check.compare({ variant, rows, input, values });
    }
    staging.unmap();
    return atMost;
  }
}
