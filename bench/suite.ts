// The interface between suites and run.ts.

import type { Gpu } from "../engine/gpu/gpu.ts";
import type { Decoder } from "../engine/graph/decoder.ts";
import type { Weights } from "../engine/graph/weights.ts";
import type { LoadedModel } from "../engine/model.ts";
import type { LoadOptions, Model, Plan, QuantizeOptions, Source } from "../engine/node.ts";
import type { Budget, Figure } from "./measure.ts";
import type { Limits, Params, Unit } from "./result.ts";
import type { StreamSetting } from "./streams.ts";

/** The engine's functions that suites call. */
export interface BenchEngine {
  loadModel(source?: string | Source, options?: LoadOptions): Promise<Model>;
  planModel(source?: string | Source, options?: LoadOptions): Promise<Plan>;
  quantizeModel(source: string | undefined, options: QuantizeOptions): Promise<unknown>;
}

/** The request of the command line. */
export interface Request {
  readonly model: string | undefined;
  readonly load: LoadOptions;
  readonly budget: Budget;
  /** The text for `quality`. */
  readonly text: string | undefined;
  /** The setting for `throughput`. */
  readonly streams: StreamSetting;
}

export interface Bench extends Request {
  readonly engine: BenchEngine;
  readonly loaded: LoadedModel;
  readonly signal: AbortSignal;
  /** Measured once a run, at the first call. */
  limits(gpu: Gpu): Promise<Limits>;
  /** Adds a figure to the report. */
  add(name: string, unit: Unit, figure: Figure, params: Params): void;
  /** Adds a note to the report, about what was skipped. */
  note(text: string): void;
  /** Reports progress: what is being measured. */
  doing(what: string): void;
}

/** Adds its figures to the bench. Ends early if the signal is aborted. */
export type Suite = (bench: Bench) => Promise<void>;

/** The argument of `LoadedModel.measure`'s callback. */
export interface Parts {
  readonly gpu: Gpu;
  readonly decoder: Decoder;
  readonly weights: Weights;
}
