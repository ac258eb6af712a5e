// The LoRA adapters of a loaded model, by name. What reads, chooses and places them are lazy chunks.
import type { Adapter, ModelConfig } from "../../weights/index.ts";
import type { AdapterChoice } from "../api.ts";
import type { AdapterMix } from "../graph/adapter-use.ts";
import type { GpuModel } from "../resident/gpu-model.ts";
import type { LoadedAdapters } from "./loaded-adapters.ts";

export class Adapters implements LoadedAdapters {
  readonly config: ModelConfig;
  readonly calls = new Map<Adapter, number>();

  constructor(config: ModelConfig) {
    this.config = config;
  }

  get loaded(): readonly Adapter[] {
    return [...this.calls.keys()];
  }

  /**
   * What a call has chosen. It stays loaded until `release`.
   * @throws RangeError with `parameter` for a name that is not loaded, a scale or a list that cannot be
   */
  async hold(choice: AdapterChoice | undefined): Promise<AdapterMix<Adapter> | undefined> {
    if (choice === undefined) return undefined;
    return (await import("./chosen.ts")).hold(this, choice);
  }

  release(mix: AdapterMix<Adapter> = []): void {
    for (const { adapter } of mix) this.calls.set(adapter, this.calls.get(adapter)! - 1);
  }

  /** Runs `use` with what a call has chosen, which stays loaded meanwhile. @throws as `hold` */
  async using<T>(
    choice: AdapterChoice | undefined,
    use: (mix: AdapterMix | undefined) => Promise<T>,
  ): Promise<T> {
    const mix = await this.hold(choice);
    try {
      return await use(mix);
    } finally {
      this.release(mix);
    }
  }

  /** Puts all of them on a device that has replaced a lost one. */
  async restore(gpuModel: GpuModel): Promise<void> {
    if (this.calls.size > 0) await (await import("./place.ts")).placeAdapters(this, gpuModel);
  }
}
