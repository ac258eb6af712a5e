/**
 * A loaded model as `LanguageModel` of the [Prompt
 * API](https://developer.chrome.com/docs/ai/prompt-api), for pages that are written to Chrome's own. Text
 * only.
 *
 * @module sirocco/prompt-api
 */

import { asDomError, quotaExceeded } from "./apis/prompt-api/errors.ts";
import { PARAMS, readCore, readInitialPrompts } from "./apis/prompt-api/input.ts";
import { Loading } from "./apis/prompt-api/loading.ts";
import { countTokens, Session } from "./apis/prompt-api/session.ts";
import type {
  LanguageModelBackend,
  LanguageModelConstructor,
  LanguageModelCreateOptions,
  LanguageModelProgressEvent,
} from "./apis/prompt-api/types.ts";
import { checkOptions, type Rules, whole } from "./options/check.ts";
import { shown, wrongType } from "./options/parameter.ts";

export type * from "./apis/prompt-api/types.ts";

const rules: Rules<LanguageModelBackend> = {
  model: {
    expected: "a loaded model, or a function that loads one",
    hasType: (value) => typeof value === "function" || (typeof value === "object" && value !== null),
  },
  maxTokens: whole(1),
};

/**
 * `LanguageModel` on a loaded model, or on one that the first session loads. The sessions of a page share it.
 *
 * @throws TypeError, RangeError for a wrong setting; `parameter` is its name
 *
 * @example
 * ```ts
 * import { createLanguageModel } from "sirocco/prompt-api";
 *
 * const LanguageModel = createLanguageModel({ model });
 * // For a page that uses the global. Chromium has one where it has no model: "unavailable".
 * Object.assign(globalThis, { LanguageModel });
 *
 * const session = await LanguageModel.create({ temperature: 0, topK: 1 });
 * const answer = await session.prompt("Tell a story.", { responseConstraint: /Once upon [a-z ]{1,30}\./ });
 * console.log(answer.startsWith("Once upon"), session.inputUsage > 0); // true true
 * ```
 */
export function createLanguageModel(settings: LanguageModelBackend): LanguageModelConstructor {
  checkOptions("createLanguageModel", settings, rules);
  if (!settings?.model) throw wrongType("model", `expected a loaded model, got ${shown(settings?.model)}.`);
  const { model, maxTokens = 4096 } = settings;
  const loading = new Loading(model);

  return class LanguageModel extends Session {
    static async availability(options: LanguageModelCreateOptions = {}) {
      try {
        readCore(options);
      } catch (error) {
        if (error instanceof DOMException) return "unavailable";
        throw error;
      }
      const { availability } = loading;
      return availability === "downloadable" && hasNoGpu() ? "unavailable" : availability;
    }

    static async create(options: LanguageModelCreateOptions = {}) {
      const { signal = new AbortController().signal, monitor } = options;
      signal.throwIfAborted();
      const { tools, samplingMode, ...sampling } = readCore(options);
      const initial = readInitialPrompts(options.initialPrompts);
      const functions = new Map(
        [...(options.tools ?? [])].map((tool) => [tool.name, tool.execute.bind(tool)]),
      );
      const progress = new Monitor();
      monitor?.(progress);
      const opened = loading
        .model((loaded) => progress.tell(loaded))
        .catch((error: unknown) => {
          throw asDomError(error, "OperationError");
        });
      const target = await untilAborted(opened, signal);
      const usage = await countTokens(target, initial, tools, signal);
      if (usage > target.contextLength) throw quotaExceeded(usage, target.contextLength);
      const start = {
        model: target,
        sampling,
        samplingMode,
        maxTokens,
        tools,
        functions,
        initial,
        turns: [],
        usage,
      };
      const session = new LanguageModel(start);
      session.endWith(options.signal);
      return session;
    }

    static async params() {
      return { ...PARAMS };
    }
  };
}

/** In a page or a worker. Elsewhere a package may bring WebGPU. */
const hasNoGpu = (): boolean => "isSecureContext" in globalThis && !globalThis.navigator?.gpu;

/** Node has no ProgressEvent. */
class DownloadProgress extends Event implements LanguageModelProgressEvent {
  readonly total = 1;
  readonly lengthComputable = true;
  readonly loaded: number;

  constructor(loaded: number) {
    super("downloadprogress");
    this.loaded = loaded;
  }
}

class Monitor extends EventTarget {
  ondownloadprogress: ((event: LanguageModelProgressEvent) => unknown) | null = null;

  tell(loaded: number): void {
    const event = new DownloadProgress(loaded);
    this.dispatchEvent(event);
    this.ondownloadprogress?.(event);
  }
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
  );
  return Promise.race([work, aborted]);
}
