// What all routes share: the loaded model, its names, keys, limits and the queue.
import type { Model } from "../engine/node.ts";
import { Admission } from "./admission.ts";
import { DefaultAdapters } from "./default-adapters.ts";
import type { Finetunes } from "./finetunes.ts";
import { Keys } from "./keys.ts";
import type { LogLine } from "./log.ts";
import { Metrics } from "./metrics.ts";
import type { ModerationAction } from "./moderation.ts";
import { parseOrigin } from "./origin.ts";
import type { RequestLifecycle } from "./request-lifecycle.ts";
import { StallDetector } from "./stall-detector.ts";

export interface ServiceOptions {
  /** The name of the model in `/v1/models`. */
  readonly name: string;
  /** Other names that requests may use. */
  readonly aliases?: readonly string[];
  /** API keys. Default none: everyone may call. */
  readonly keys?: readonly string[];
  /** Answers at once, and requests that may wait. Default 8 and 64. */
  readonly parallel?: number;
  readonly queue?: number;
  /** Most tokens of prompt and answer together. Default: the trained length, as far as the cache holds it. */
  readonly contextLength?: number;
  /** Origins whose pages may call; "*": all. Default none. */
  readonly cors?: readonly string[];
  readonly logPrompts?: boolean;
  /** Whether every conversation gets Mistral's system prompt for guarded answers. Default false. */
  readonly safePrompt?: boolean;
  /** What happens to prompts and answers that the model flags. Default: none is judged. */
  readonly moderate?: ModerationAction;
  /** Where the chat page is. Default: the server has none. */
  readonly page?: PageFolders;
  /** LoRA adapters that clients upload. Default: they may upload none. */
  readonly finetunes?: Finetunes;
  /** LoRA adapters that apply to requests that name none, by their scales. Default: none. */
  readonly adapterScales?: readonly { readonly name: string; readonly scale: number }[];
  /** Called once per request, when its response has ended. */
  readonly log?: (line: LogLine) => void;
  readonly limits?: Partial<Limits>;
}

/** Where the chat page is. */
export interface PageFolders {
  /** The built page, without the weights of the tiny model. */
  readonly page: string;
  /** These weights. */
  readonly weights: string;
}

/** Limits that protect clients from each other. */
export interface Limits {
  /** Bytes of a request's body. */
  readonly bodyBytes: number;
  /** Nesting depth of lists and objects in a body. */
  readonly jsonDepth: number;
  /** After this silence a stream sends a comment. */
  readonly heartbeatMs: number;
  /** Bytes of a stream that are buffered for a slow reader. */
  readonly streamBytes: number;
  /** A reader that takes nothing for this long is disconnected. */
  readonly stallMs: number;
  /** If all slots are taken and nothing makes progress for this long, `/ready` returns 503. */
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
  /** Most tokens of prompt and answer together. A model with a window has no limit of its own. */
  readonly contextLength: number;
  readonly cors: readonly string[];
  readonly logPrompts: boolean;
  readonly safePrompt: boolean;
  readonly moderate: ModerationAction | undefined;
  readonly page: PageFolders | undefined;
  readonly finetunes: Finetunes | undefined;
  readonly defaultAdapters: DefaultAdapters;
  readonly log: (line: LogLine) => void;
  /** Seconds since 1970. */
  readonly started: number;
  /** Requests whose responses have not ended. */
  readonly lifecycles: Set<RequestLifecycle>;
}

export function createService(model: Model, options: ServiceOptions): Service {
  const { name, aliases = [], keys = [], parallel = 8, queue = 64, cors = [], logPrompts = false } = options;
  const { safePrompt = false, moderate, page, finetunes, adapterScales } = options;
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
    safePrompt,
    moderate,
    page,
    finetunes,
    defaultAdapters: new DefaultAdapters(model, adapterScales),
    log: options.log ?? (() => {}),
    started: Math.floor(Date.now() / 1000),
    lifecycles: new Set(),
  };
}
