// What the command line asks of the engine. Types only: `sirocco --help` must not open a GPU.
import type {
  AdapterDescription,
  LoadOptions,
  Merged,
  MergeOptions,
  Model,
  ModelDescription,
  Plan,
  Quantized,
  QuantizeOptions,
  Source,
  Tuning,
} from "../engine/node.ts";

export type {
  AdapterChoice,
  AdapterDescription,
  AnswerFormat,
  Chunk,
  ClassifyOptions,
  Finish,
  GenerateOptions,
  LoadOptions,
  MergeOptions,
  Message,
  Model,
  ModelConfig,
  ModelDescription,
  Plan,
  Progress,
  PromptProgress,
  QuantizeOptions,
  ScaledAdapter,
  Tuning,
  TuningMeasurement,
} from "../engine/node.ts";
export type WeightFormatName = Plan["weights"];
export type CacheFormatName = Plan["cache"];

/** The functions of `engine/node.ts` that the commands call; tests pass a fake. */
export interface Engine {
  loadModel(source?: string, options?: LoadOptions): Promise<Model>;
  planModel(source?: string | Source, options?: LoadOptions): Promise<Plan>;
  describeModel(source?: string, options?: Pick<LoadOptions, "signal">): Promise<ModelDescription>;
  tuneModel(source?: string, options?: LoadOptions): Promise<Tuning>;
  quantizeModel(source: string | undefined, options: QuantizeOptions): Promise<Quantized>;
  mergeModel(source: string | undefined, options: MergeOptions): Promise<Merged>;
  listAdapters(): Promise<readonly AdapterDescription[]>;
}
