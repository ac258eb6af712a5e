// Measures the time of each dispatch of a list.
import { type Dispatch, encode, readBuffer, usage } from "./dispatch.ts";
import type { Gpu } from "./gpu.ts";

/**
 * A query set holds at most 4096 timestamps, two a pass.
 * https://www.w3.org/TR/webgpu/#dom-gpudevice-createqueryset
 */
const MAX_PASSES = 2048;

/** Times dispatches one by one: with timestamp queries if the device has them, else from submit to done. */
export class Profiler {
  readonly clock: "gpu" | "host";
  readonly #gpu: Gpu;
  readonly #queries: GPUQuerySet | undefined;
  readonly #resolved: GPUBuffer | undefined;

  constructor(gpu: Gpu) {
    const { device } = gpu;
    this.#gpu = gpu;
    if (device.features.has("timestamp-query")) {
      this.#queries = device.createQuerySet({ type: "timestamp", count: 2 * MAX_PASSES });
      const size = 2 * MAX_PASSES * 8;
      this.#resolved = device.createBuffer({ size, usage: usage.queryResolve | usage.copySrc });
    }
    this.clock = this.#queries ? "gpu" : "host";
  }

  /** Milliseconds of each dispatch, run once in order. `T` as in `encode`. */
  async run(dispatches: readonly Dispatch[], T?: number): Promise<number[]> {
    const times: number[] = [];
    const most = this.#queries ? MAX_PASSES : 1;
    for (let at = 0; at < dispatches.length; at += most) {
      const batch = dispatches.slice(at, at + most);
      times.push(...(await (this.#queries ? this.#byGpu(batch, T) : this.#byHost(batch, T))));
    }
    return times;
  }

  async #byGpu(dispatches: readonly Dispatch[], T: number | undefined): Promise<number[]> {
    const { device } = this.#gpu;
    const [querySet, resolved] = [this.#queries!, this.#resolved!];
    const encoder = device.createCommandEncoder();
    dispatches.forEach((dispatch, i) => {
      const timestampWrites = {
        querySet,
        beginningOfPassWriteIndex: 2 * i,
        endOfPassWriteIndex: 2 * i + 1,
      };
      const pass = encoder.beginComputePass({ timestampWrites });
      encode(pass, [dispatch], T);
      pass.end();
    });
    encoder.resolveQuerySet(querySet, 0, 2 * dispatches.length, resolved, 0);
    device.queue.submit([encoder.finish()]);
    const bytes = await this.#gpu.settle(readBuffer(device, resolved, 0, 16 * dispatches.length));
    return durations(new BigUint64Array(bytes));
  }

  async #byHost(dispatches: readonly Dispatch[], T: number | undefined): Promise<number[]> {
    const { device } = this.#gpu;
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encode(pass, dispatches, T);
    pass.end();
    const commands = encoder.finish();
    const began = performance.now();
    device.queue.submit([commands]);
    await this.#gpu.settle(device.queue.onSubmittedWorkDone());
    return [performance.now() - began];
  }

  dispose(): void {
    this.#queries?.destroy();
    this.#resolved?.destroy();
    // Dawn frees destroyed buffers only at the next submit.
    this.#gpu.device.queue.submit([]);
  }
}

/**
 * Milliseconds of each pass, from its begin and end in nanoseconds. On Vulkan a begin may be stamped while
 * the pass before still runs. So a pass counts from the end of the one before, and the sum is at most the
 * time of all together. Browsers round stamps, Chrome to 65 or 100 µs: there a short pass takes 0 or one such
 * unit, and only a mean or a sum tells something.
 * @param stamps begin and end of each pass in turn; a clock that jumps backwards gives 0
 */
export function durations(stamps: BigUint64Array): number[] {
  let done = 0n;
  return Array.from({ length: stamps.length / 2 }, (_, i) => {
    const [begin, end] = [stamps[2 * i]!, stamps[2 * i + 1]!];
    const from = begin > done ? begin : done;
    done = end;
    return Math.max(0, Number(end - from)) / 1e6;
  });
}
