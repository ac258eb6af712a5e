import type { WeightFormatName } from "../kernels/index.ts";
import type { Checkpoint, Source } from "../weights/index.ts";
import type { LoadOptions } from "./api.ts";
import type { Gpu } from "./device.ts";
import type { Lease } from "./store-lock.ts";
import type { StoredWeights } from "./stored-weights.ts";
import type { TuningStore } from "./tuning.ts";

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
    peek(origin: Source, options: LoadOptions): Promise<Source>;
  };
}

/** A model's place in the store, held alone from loading to `dispose`. */
export interface ModelStore extends Lease {
  /** Reads what is stored, and what is not from where the model comes from. */
  readonly source: Source;
  /** Keeps the small files that were read so far. */
  keepSource(): Promise<void>;
  openWeights(checkpoint: Checkpoint, weights: WeightFormatName): Promise<StoredWeights>;
  /** What was read of a file was wrong: it is not kept. */
  forget(file: string): Promise<void>;
  /** Forgets what is stored, and opens `source` anew. */
  clear(): Promise<void>;
}
