// The interface of a store for the weights of one model, in the bytes of the GPU's buffers.
import type { WeightFormatName } from "../../kernels/index.ts";
import type { Checkpoint, Source } from "../../weights/index.ts";
import type { Lease } from "./lock.ts";
import type { StoredWeights } from "./stored-weights.ts";

/** One stored model, leased from loading to `dispose`. */
export interface ModelStore extends Lease {
  /** Reads from the store, falling back to the original source. */
  readonly source: Source;
  /** Stores the small files that were read so far. */
  saveSource(): Promise<void>;
  openWeights(checkpoint: Checkpoint, weights: WeightFormatName): Promise<StoredWeights>;
  /** Discards what was read of a file, which was wrong. */
  invalidate(file: string): Promise<void>;
  /** Deletes what is stored, and reopens `source`. */
  clear(): Promise<void>;
}
