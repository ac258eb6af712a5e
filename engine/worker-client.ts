// A model in a worker, with the interface of a model on the page.
import type { AnswerOptions, LoadOptions, Model } from "./api.ts";
import { openai } from "./apis/openai/completions.ts";
import { DeviceError, DeviceLostError } from "./errors.ts";
import { checkOptions, object, type Rules } from "./options/check.ts";
import { unsupported } from "./options/parameter.ts";
import { checkLoad, checkSource } from "./options/tables.ts";
import { plainFormat } from "./plain-format.ts";
import { Connection } from "./worker/connection.ts";
import { foreignWorker } from "./worker/foreign-worker.ts";
import {
  CALLS,
  type CallName,
  type ModelFacts,
  type Opening,
  STREAMS,
  type StreamName,
} from "./worker/protocol.ts";

/** Options of `loadModelInWorker`. `device` is not possible: it belongs to its own thread. */
export interface WorkerLoadOptions extends LoadOptions {
  /**
   * A worker that runs `sirocco/worker`. `dispose()` does not end it. Default: a new worker for this model.
   */
  readonly worker?: Worker;
}

const workerRules: Rules<Pick<WorkerLoadOptions, "worker">> = { worker: object("a Worker", "postMessage") };

/**
 * Loads a model in a module worker of a page: the page stays responsive, and weights that come over HTTP are
 * stored in the browser.
 *
 * @param source an address that holds the files or of a GGUF file, a repository of the Hugging Face Hub as
 * `owner/name`, `owner/name@revision` or `owner/name/file.gguf`, the address of its page, or files that
 * were picked. Default: the tiny model that comes with the package.
 * @throws DeviceError with the code "no-worker" if there are no workers, as in Node, or the worker does not
 * start
 * @throws TypeError if the option `device` is given
 * @throws the errors of `loadModel`, as the same classes
 *
 * @example
 * ```ts
 * import { loadModelInWorker } from "sirocco";
 *
 * const bar = document.querySelector("progress");
 * const model = await loadModelInWorker("mistralai/Mistral-7B-Instruct-v0.3", {
 *   weights: "q4",
 *   onProgress: ({ loaded, total }) => {
 *     if (bar) bar.value = loaded / total;
 *   },
 * });
 * ```
 */
export async function loadModelInWorker(
  source?: string | readonly File[],
  workerOptions: WorkerLoadOptions = {},
): Promise<Model> {
  checkOptions("loadModelInWorker", { worker: workerOptions?.worker }, workerRules);
  const { worker: given, ...options } = Object(workerOptions) as WorkerLoadOptions;
  checkLoad("loadModelInWorker", workerOptions && options);
  if (!Array.isArray(source)) checkSource(source);
  options.signal?.throwIfAborted();
  if (options.device) {
    throw unsupported(
      "device",
      "device: expected none, got a GPUDevice, which stays on its own thread. Leave it out, or use loadModel.",
    );
  }
  const worker = given ?? openWorker();
  const { port1, port2 } = new MessageChannel();
  const connection = new Connection(port1);
  let loaded = false;
  const onError = (event: Event) => {
    const got = (event as ErrorEvent).message || (loaded ? "the end of it" : "no script that runs");
    // A worker may survive an error: then it disposes of the model.
    connection.dispose(
      loaded
        ? new DeviceLostError(`worker: expected a model in it, got ${got}. Load the model again.`)
        : new DeviceError(
            `worker: expected it to start, got ${got}. Serve engine/model-worker.js, or pass a \`worker\`.`,
            { code: "no-worker" },
          ),
    );
    close();
  };
  const close = () => {
    worker.removeEventListener("error", onError);
    worker.removeEventListener("messageerror", onError);
    port1.close();
    if (!given) worker.terminate();
  };
  worker.addEventListener("error", onError);
  worker.addEventListener("messageerror", onError);
  try {
    worker.postMessage({ type: "sirocco", port: port2 } satisfies Opening, [port2]);
    const facts = (await connection.call("load", [source, options])) as ModelFacts;
    loaded = true;
    return remoteModel(facts, connection, close);
  } catch (error) {
    close();
    throw error;
  }
}

function openWorker(): Worker {
  if (typeof Worker === "undefined")
    throw new DeviceError("loadModelInWorker: expected a browser's Worker, got none. Use loadModel here.", {
      code: "no-worker",
    });
  const here = import.meta.url;
  if (new URL(here).origin !== location.origin)
    return foreignWorker(new URL("./model-worker.js", here), "sirocco");
  // Bundlers look for exactly this expression. In the sources, the name stands for model-worker.ts.
  return new Worker(new URL("./model-worker.js", import.meta.url), { type: "module", name: "sirocco" });
}

/** All methods by their names in the tables. If a table misses a method of Model, this does not compile. */
function remoteModel(facts: ModelFacts, connection: Connection, close: () => void): Model {
  const calls = CALLS.map((name) => [name, (...args: unknown[]) => connection.call(name, args)]);
  const streams = STREAMS.map((name) => [
    name,
    (asked: unknown, options?: AnswerOptions) => connection.stream(name, [asked, sendable(options)]),
  ]);
  const answering = Object.fromEntries(streams) as Pick<Model, StreamName>;
  const calling = Object.fromEntries(calls) as Pick<Model, CallName>;
  let { adapters } = facts;
  return {
    ...facts,
    ...calling,
    get adapters() {
      return adapters;
    },
    async addAdapter(name, source, options) {
      await calling.addAdapter(name, source, options);
      adapters = [...adapters, name];
    },
    async removeAdapter(name) {
      await calling.removeAdapter(name);
      adapters = adapters.filter((each) => each !== name);
    },
    ...answering,
    openai: openai(answering),
    answer: async (messages, options = {}) =>
      (await import("./whole-answer.ts")).wholeAnswer(answering.chat(messages, options), options?.signal),
    extract: async (messages, schema, extractOptions = {}) =>
      (await import("./extract.ts")).extract(answering, messages, schema, extractOptions),
    dispose() {
      connection.dispose(
        new DeviceLostError("model: expected a loaded model, got a disposed one. Load it again.", {
          code: "disposed",
        }),
      );
      close();
    },
  };
}

/** A schema of zod cannot be cloned. */
const sendable = (options: AnswerOptions | undefined): AnswerOptions | undefined =>
  typeof options?.format === "object" && options.format
    ? { ...options, format: plainFormat(options.format) }
    : options;
