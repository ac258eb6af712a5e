// What a suite is handed, and what it gives back.

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

/** What was asked for on the command line. */
export interface Request {
  readonly model: string | undefined;
  readonly load: LoadOptions;
  readonly budget: Budget;
  /** What `quality` scores. */
  readonly text: string | undefined;
  /** What `throughput` asks. */
  readonly streams: StreamSetting;
}

export interface Bench extends Request {
  readonly engine: BenchEngine;
  readonly loaded: LoadedModel;
  readonly signal: AbortSignal;
  /** Measured once a run, by the first suite that asks. */
  limits(gpu: Gpu): Promise<Limits>;
  /** Keeps a figure. */
  add(name: string, unit: Unit, figure: Figure, params: Params): void;
  /** Says what was left out. */
  note(text: string): void;
  /** Says what is being measured. */
  doing(what: string): void;
}

/** Adds figures to its bench; ends early, with what it has, where the signal is aborted. */
export type Suite = (bench: Bench) => Promise<void>;

/** What `LoadedModel.measure` gives. */
export interface Parts {
  readonly gpu: Gpu;
  readonly decoder: Decoder;
  readonly weights: Weights;
}
