// What the command line asks of the engine. Types only: `sirocco --help` must not open a GPU.
import type { AdapterDescription, LoadOptions, Model, Plan, Progress } from "../engine/api.ts";
import type { WeightFormatName } from "../kernels/index.ts";

export type {
  AdapterDescription,
  Chunk,
  Finish,
  GenerateOptions,
  LoadOptions,
  Message,
  Model,
  Plan,
  Progress,
  Score,
} from "../engine/api.ts";
export type { WeightFormatName };

export interface QuantizeOptions {
  readonly weights: WeightFormatName;
  /** The folder to write. */
  readonly out: string;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
  readonly adapter?: string;
}

/** The functions of `engine/node.ts` that the commands call; the tests give a fake. */
export interface Engine {
  loadModel(source?: string, options?: LoadOptions): Promise<Model>;
  planModel(source?: string, options?: LoadOptions): Promise<Plan>;
  quantizeModel(
    source: string | undefined,
    options: QuantizeOptions,
  ): Promise<{ readonly bytes: number; readonly files: readonly string[] }>;
  listAdapters(): Promise<readonly AdapterDescription[]>;
}
