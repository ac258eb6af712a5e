// A place where the weights of one model are kept, as they lie on the GPU.
import type { WeightFormatName } from "../../kernels/index.ts";
import type { Checkpoint, Source } from "../../weights/index.ts";
import type { Lease } from "./lock.ts";
import type { StoredWeights } from "./stored-weights.ts";

/** A model's place in the store, held alone from loading to `dispose`. */
export interface ModelStore extends Lease {
  /** Reads what is stored, and what is not from where the model comes from. */
  readonly source: Source;
  /** Keeps the small files that were read so far. */
  saveSource(): Promise<void>;
  openWeights(checkpoint: Checkpoint, weights: WeightFormatName): Promise<StoredWeights>;
  /** What was read of a file was wrong: it is not kept. */
  invalidate(file: string): Promise<void>;
  /** Forgets what is stored, and opens `source` anew. */
  clear(): Promise<void>;
}
