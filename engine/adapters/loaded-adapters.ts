// What the lazy chunks know of a model's adapters.
import type { Adapter, ModelConfig } from "../../weights/index.ts";

export interface LoadedAdapters {
  /** Of the model. */
  readonly config: ModelConfig;
  readonly loaded: readonly Adapter[];
  /** How many calls use each, in the order in which they were added. */
  readonly calls: Map<Adapter, number>;
}
