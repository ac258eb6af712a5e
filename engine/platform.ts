import type { Source } from "../weights/index.ts";
import type { LoadOptions } from "./api.ts";
import type { Gpu } from "./gpu/gpu.ts";
import type { ModelStore } from "./store/model-store.ts";
import type { TuningStore } from "./tuning/tuning.ts";

/** What differs between a browser and Node. */
export interface Platform {
  /** The caller's own device, where there is one. */
  openDevice(options: Pick<LoadOptions, "adapter" | "device" | "unsafeFast">): Promise<Gpu>;
  /** A folder, URL or repository by name; the embedded model without one. */
  openSource(spec: string | undefined, options: LoadOptions): Source | Promise<Source>;
  readonly tuning: TuningStore;
  /** Where weights are stored packed, beside the checkpoints themselves. */
  readonly store?: {
    /** undefined where this one is not to be stored. */
    open(origin: Source, options: LoadOptions): Promise<ModelStore | undefined>;
    /** A source that knows what is stored of it, for looking only. */
    openReadOnly(origin: Source, options: LoadOptions): Promise<Source>;
  };
}
