// Times a batch of launches: by timestamps of the GPU where it has them, else by the host's clock.
import { MAP_READ, usage } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";

/** Browsers round timestamps to this: https://www.w3.org/TR/webgpu/#timestamp */
const RESOLUTION_MS = 0.1;
/** Units of the clock that a batch should take: rounding then changes a time by at most 5 %. */
const UNITS = 20;
/** The longest batch asked for, where the host notices late that work is done. */
const MAX_BATCH_MS = 30;
/** Empty submits that are timed: their least time is what a submit costs. */
const EMPTY_SUBMITS = 5;
/** Readings in a row that cannot be true, after which the timestamps are not used. */
const MAX_MISREADINGS = 3;

export class BatchClock {
  readonly #gpu: Gpu;
  readonly #queries: GPUQuerySet | undefined;
  readonly #resolved: GPUBuffer | undefined;
  readonly #staging: GPUBuffer | undefined;
  #misreadings = 0;
  #roundTripMs = 0;

  private constructor(gpu: Gpu) {
    const { device } = gpu;
    this.#gpu = gpu;
    if (!device.features.has("timestamp-query")) return;
    this.#queries = device.createQuerySet({ type: "timestamp", count: 2 });
    this.#resolved = device.createBuffer({ size: 16, usage: usage.queryResolve | usage.copySrc });
    this.#staging = device.createBuffer({ size: 16, usage: usage.mapRead | usage.copyDst });
  }

  static async open(gpu: Gpu): Promise<BatchClock> {
    const clock = new BatchClock(gpu);
    const empty: number[] = [];
    for (let i = 0; i < EMPTY_SUBMITS; i++) empty.push(await clock.#timeByHost([]));
    clock.#roundTripMs = Math.min(...empty);
    return clock;
  }

  /** Milliseconds from an empty submit to the notice that it is done. */
  get roundTripMs(): number {
    return this.#roundTripMs;
  }

  /** Whether timestamps are read. */
  get #stamped(): boolean {
    return this.#queries !== undefined && this.#misreadings < MAX_MISREADINGS;
  }

  /** The smallest time that this clock measures, in milliseconds. */
  get unitMs(): number {
    return this.#stamped ? RESOLUTION_MS : Math.max(RESOLUTION_MS, this.#roundTripMs / 2);
  }

  /** How long a batch should take, in milliseconds. */
  get batchMs(): number {
    return Math.min(UNITS * this.unitMs, MAX_BATCH_MS);
  }

  /** Timestamps that never advance are useless. @returns whether the host's clock now takes their place */
  distrust(): boolean {
    const stamped = this.#stamped;
    this.#misreadings = MAX_MISREADINGS;
    return stamped;
  }

  /**
   * Milliseconds from the begin of the first to the end of the last dispatch of one pass.
   * @param record encodes the dispatches
   */
  async time(record: (pass: GPUComputePassEncoder) => void): Promise<number> {
    while (this.#stamped) {
      const time = await this.#timeByStamps(record);
      if (time !== undefined) {
        this.#misreadings = 0;
        return time;
      }
      // The machine slept meanwhile, or the timestamps are wrong: once more.
      this.#misreadings++;
    }
    const encoder = this.#gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    record(pass);
    pass.end();
    return Math.max(0, (await this.#timeByHost([encoder.finish()])) - this.#roundTripMs);
  }

  /** Milliseconds from submit to done. */
  async #timeByHost(commands: GPUCommandBuffer[]): Promise<number> {
    const { queue } = this.#gpu.device;
    const began = performance.now();
    queue.submit(commands);
    await this.#gpu.settle(queue.onSubmittedWorkDone());
    return performance.now() - began;
  }

  /** undefined if the timestamps say what cannot be: less than nothing, or more than the host saw go by. */
  async #timeByStamps(record: (pass: GPUComputePassEncoder) => void): Promise<number | undefined> {
    const { device } = this.#gpu;
    const [querySet, resolved, staging] = [this.#queries!, this.#resolved!, this.#staging!];
    const encoder = device.createCommandEncoder();
    const timestampWrites = { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
    const pass = encoder.beginComputePass({ timestampWrites });
    record(pass);
    pass.end();
    encoder.resolveQuerySet(querySet, 0, 2, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16);
    const began = performance.now();
    device.queue.submit([encoder.finish()]);
    await this.#gpu.settle(staging.mapAsync(MAP_READ));
    const atMost = performance.now() - began + RESOLUTION_MS;
    const [begin, end] = new BigInt64Array(staging.getMappedRange().slice(0));
    staging.unmap();
    const time = Number(end! - begin!) / 1e6;
    return time >= 0 && time <= atMost ? time : undefined;
  }

  close(): void {
    this.#queries?.destroy();
    this.#resolved?.destroy();
    this.#staging?.destroy();
  }
}
