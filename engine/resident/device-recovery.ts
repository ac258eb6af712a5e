// Keeps a model on the GPU: where the device is lost, the model is put on a new one and the work at hand done again.
import { DeviceLostError } from "../errors.ts";
import { type GpuModel, release } from "./gpu-model.ts";

/** In a row: a new device does not come about, or is lost before it has done the work. */
const MAX_FAILURES = 2;
/** A driver that was reset may take a moment until it has a device to give. */
const PAUSE_MS = 500;

/** Makes up for one lost device where nothing has been made yet: `make` is done once more. */
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

  /** @param rebuild none where the device is the caller's own: a loss is theirs to mend */
  constructor(gpuModel: GpuModel, rebuild: Rebuild | undefined) {
    this.#gpuModel = gpuModel;
    this.#rebuild = rebuild;
  }

  /** The model where it lies, or lay last. */
  get last(): GpuModel {
    return this.#gpuModel;
  }

  /**
   * Runs `use`; where the device is lost before or meanwhile, runs it again on a new one. One call at a time.
   * @throws DeviceLostError after two failures in a row; the next call tries again
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

  /** The model on a device that is not known to be lost. */
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
    if (!this.#disposal.signal.aborted) return;
    throw new DeviceLostError("model: expected a loaded model, got a disposed one. Load it again.");
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
