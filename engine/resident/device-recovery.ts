// Recovers from a lost device: puts the model on a new one and repeats the work.
import { DeviceLostError } from "../errors.ts";
import { disposedError } from "../gpu/gpu.ts";
import { type GpuModel, release } from "./gpu-model.ts";

/**
 * Consecutive failed recoveries before giving up: no new device, or one that is lost before the work is done.
 */
const MAX_FAILURES = 2;
/** A driver that was reset may need a moment before it gives a device. */
const PAUSE_MS = 500;

/**
 * Repeats `make` once, after a pause, if the device is lost meanwhile. For work that has nothing to rebuild
 * yet.
 */
export async function retryOnce<T>(make: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof DeviceLostError) || signal?.aborted) throw error;
  }
  await pause();
  signal?.throwIfAborted();
  return make();
}

const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

/** Puts the model on a new device. */
export type Rebuild = (before: GpuModel, signal: AbortSignal) => Promise<GpuModel>;

export class DeviceRecovery {
  #gpuModel: GpuModel;
  readonly #rebuild: Rebuild | undefined;
  readonly #disposal = new AbortController();

  /** @param rebuild undefined for a device of the caller's: the caller has to recover from its loss */
  constructor(gpuModel: GpuModel, rebuild: Rebuild | undefined) {
    this.#gpuModel = gpuModel;
    this.#rebuild = rebuild;
  }

  /** The model on its current device, or on the one that was lost. */
  get last(): GpuModel {
    return this.#gpuModel;
  }

  /**
   * Runs `use`, and again on a new device if the device is lost before or meanwhile. One call at a time.
   * @throws DeviceLostError after MAX_FAILURES failed recoveries; the next call tries again
   */
  async run<T>(use: (gpuModel: GpuModel) => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (let failures = 0; ; ) {
      const rebuilding = this.#gpuModel.gpu.lost;
      let gpuModel: GpuModel | undefined;
      try {
        gpuModel = await this.ready(signal);
        return await use(gpuModel);
      } catch (error) {
        this.check();
        const lost = gpuModel === undefined || gpuModel.gpu.lost;
        if (!lost || !this.#rebuild || signal?.aborted) throw error;
        if (rebuilding && ++failures === MAX_FAILURES) throw this.#givenUp(error);
      }
      if (failures > 0) await pause();
    }
  }

  /** The model on a device that is not known to be lost; rebuilds it if needed. */
  async ready(signal?: AbortSignal): Promise<GpuModel> {
    this.check();
    const before = this.#gpuModel;
    if (!before.gpu.lost || !this.#rebuild) return before;
    release(before);
    const either = AbortSignal.any([this.#disposal.signal, ...(signal ? [signal] : [])]);
    either.throwIfAborted();
    const gpuModel = await this.#rebuild(before, either);
    if (this.#disposal.signal.aborted) release(gpuModel);
    this.check();
    this.#gpuModel = gpuModel;
    return gpuModel;
  }

  /** @throws DeviceLostError after `dispose` */
  check(): void {
    if (this.#disposal.signal.aborted) throw disposedError();
  }

  dispose(): void {
    if (this.#disposal.signal.aborted) return;
    this.#disposal.abort();
    release(this.#gpuModel);
  }

  #givenUp(cause: unknown): DeviceLostError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new DeviceLostError(
      `${this.#gpuModel.gpu.adapter.name}: the device is lost, and putting the model on a new one failed twice, at last with: ${reason} Call again to try once more, or load the model again.`,
      { cause },
    );
  }
}
