// Times the variants of one kernel on the same buffers, and rejects those that give wrong numbers.
import type { TuningMeasurement } from "../api.ts";
import { Buffers } from "../gpu/buffers.ts";
import { type Dispatch, encode, type Pipelines } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";

/**
 * Relative to the root mean square of the outputs: more than rounding gives, in whatever order sums are made.
 */
export const TOLERANCE = 1e-3;

export abstract class VariantBench {
  protected readonly gpu: Gpu;
  protected readonly pipelines: Pipelines;
  protected readonly made: Buffers;
  #best = Infinity;

  constructor(gpu: Gpu, pipelines: Pipelines) {
    this.gpu = gpu;
    this.pipelines = pipelines;
    this.made = new Buffers(gpu.device);
  }

  /** The dispatches of a variant, on buffers that all variants share. */
  protected abstract prepare(variant: string): Promise<readonly Dispatch[]>;

  /** What is wrong with the outputs that a variant has just computed; undefined if they are right. */
  protected abstract findMismatch(variant: string): Promise<string | undefined>;

  close(): void {
    this.made.destroy();
  }

  /** Microseconds of a launch, the least of three batches, or why the variant is rejected. */
  async measure(
    variant: string,
    batchMs: number,
  ): Promise<{ microseconds: number } & Pick<TuningMeasurement, "rejected">> {
    try {
      return await this.gpu.scoped(async () => {
        const dispatches = await this.prepare(variant);
        await this.#run(dispatches, 1);
        const rejected = await this.findMismatch(variant);
        if (rejected) return { microseconds: Infinity, rejected };
        let launches = 1;
        let best = await this.#run(dispatches, 1);
        while (launches < 64 && best < batchMs) {
          launches *= 2;
          best = await this.#run(dispatches, launches);
        }
        // A variant that takes twice as long as the best needs no second batch.
        for (let batch = 1; batch < 3 && best / launches < 2 * this.#best; batch++) {
          best = Math.min(best, await this.#run(dispatches, launches));
        }
        this.#best = Math.min(this.#best, best / launches);
        return { microseconds: (1000 * best) / launches };
      });
    } catch (error) {
      this.gpu.check();
      return { microseconds: Infinity, rejected: (error as Error).message };
    }
  }

  /** Milliseconds of `launches` launches in one pass. */
  async #run(dispatches: readonly Dispatch[], launches: number): Promise<number> {
    const { device } = this.gpu;
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let i = 0; i < launches; i++) encode(pass, dispatches);
    pass.end();
    const began = performance.now();
    device.queue.submit([encoder.finish()]);
    await this.gpu.settle(device.queue.onSubmittedWorkDone());
    return performance.now() - began;
  }
}

export const rms = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

/** xorshift32 (Marsaglia 2003): the same numbers every time. */
export function randomU32(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
