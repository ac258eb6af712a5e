import type { OpenFileHash, Source } from "../weights/index.ts";
import type { LoadOptions } from "./api.ts";
import type { Gpu } from "./gpu/gpu.ts";
import type { ModelStore } from "./store/model-store.ts";
import type { TuningStore } from "./tuning/tuning.ts";

/** The functions that differ between a browser and Node. */
export interface Platform {
  /** Opens a device, or wraps the caller's own. */
  openDevice(options: Pick<LoadOptions, "adapter" | "device" | "threads" | "unsafeFast">): Promise<Gpu>;
  /** Opens a folder, URL or repository by name. Default: the embedded model. */
  openSource(spec: string | undefined, options: LoadOptions): Source | Promise<Source>;
  readonly tuning: TuningStore;
  /** Opens the hash of a file that is checked while it is read. Default: on the caller's thread. */
  readonly openFileHash?: OpenFileHash;
  /** Stores packed weights. Node has none: it keeps checkpoints as files. */
  readonly store?: {
    /** undefined if this model is not to be stored. */
    open(origin: Source, options: LoadOptions): Promise<ModelStore | undefined>;
    /** A source that reads stored files first. It stores nothing and takes no lease. */
    openReadOnly(origin: Source, options: LoadOptions): Promise<Source>;
  };
}
