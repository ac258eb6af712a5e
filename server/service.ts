// What every route works with: a loaded model, its names, who may call, and who is in line.
import type { Model } from "../engine/node.ts";
import { Admission } from "./admission.ts";
import { Keys } from "./keys.ts";
import type { LogLine } from "./log.ts";
import { Metrics } from "./metrics.ts";
import { parseOrigin } from "./origin.ts";
import type { RequestLifecycle } from "./request-lifecycle.ts";
import { StallDetector } from "./stall-detector.ts";

export interface ServiceOptions {
  /** What `/v1/models` calls the model. */
  readonly name: string;
  /** Other names that requests may ask for. */
  readonly aliases?: readonly string[];
  /** Without any, everyone may call. */
  readonly keys?: readonly string[];
  /** AdmittedModel at once, and places in line. Default 8 and 64. */
  readonly parallel?: number;
  readonly queue?: number;
  /** Most tokens of prompt and answer. Default: what the model was trained for, and its cache holds. */
  readonly contextLength?: number;
  /** Origins whose pages may call; "*": all. Default none. */
  readonly cors?: readonly string[];
  readonly logPrompts?: boolean;
  /** Called once a request, when its answer has ended. */
  readonly log?: (line: LogLine) => void;
  readonly limits?: Partial<Limits>;
}

/** Bounds that keep one client from being a burden to the others. */
export interface Limits {
  /** Of a request's body. */
  readonly bodyBytes: number;
  /** Of lists and objects within each other in a body. */
  readonly jsonDepth: number;
  /** A stream's silence after which a comment says that it lives. */
  readonly heartbeatMs: number;
  /** What is kept of a stream for a reader that is slower than the model. */
  readonly streamBytes: number;
  /** A reader that takes nothing for so long is cut off. */
  readonly stallMs: number;
  /** Where every place is taken and nothing moves for so long, `/ready` says no. */
  readonly stuckMs: number;
}

const DEFAULTS: Limits = {
  bodyBytes: 4 * 2 ** 20,
  jsonDepth: 32,
  heartbeatMs: 15_000,
  streamBytes: 256 * 2 ** 10,
  stallMs: 30_000,
  stuckMs: 120_000,
};

export interface Service {
  readonly model: Model;
  readonly name: string;
  readonly aliases: readonly string[];
  readonly keys: Keys;
  readonly admission: Admission;
  readonly metrics: Metrics;
  readonly stallDetector: StallDetector;
  readonly limits: Limits;
  /** Most tokens of prompt and answer: a window would let them go on without end. */
  readonly contextLength: number;
  readonly cors: readonly string[];
  readonly logPrompts: boolean;
  readonly log: (line: LogLine) => void;
  /** Seconds since 1970. */
  readonly started: number;
  /** Requests whose answers have not ended. */
  readonly lifecycles: Set<RequestLifecycle>;
}

export function createService(model: Model, options: ServiceOptions): Service {
  const { name, aliases = [], keys = [], parallel = 8, queue = 64, cors = [], logPrompts = false } = options;
  const admission = new Admission({ parallel, queue });
  const limits = { ...DEFAULTS, ...options.limits };
  return {
    model,
    name,
    aliases,
    keys: new Keys(keys),
    admission,
    metrics: new Metrics(model, admission),
    contextLength: Math.min(model.contextLength, options.contextLength ?? model.config.maxPositions),
    stallDetector: new StallDetector(model, admission, limits.stuckMs),
    limits,
    cors: cors.map(parseOrigin),
    logPrompts,
    log: options.log ?? (() => {}),
    started: Math.floor(Date.now() / 1000),
    lifecycles: new Set(),
  };
}
