// Loads models in a browser, with the browser's device, sources and stores.
import {
  encodePath,
  folderUrl,
  type HttpSourceOptions,
  httpSource,
  parseRepository,
  type Source,
} from "../weights/index.ts";
import type { LoadOptions, Model, Plan, Tuning } from "./api.ts";
import { ANY_WEBGPU, borrowDevice, isHardware, openDevice } from "./gpu/gpu.ts";
import * as load from "./load.ts";
import type { Platform } from "./platform.ts";
import { canStore } from "./store/opfs.ts";
import { tuningOpfs } from "./tuning/opfs.ts";

const browser: Platform = {
  tuning: tuningOpfs,
  openFileHash: async (state, length) => (await import("./hash-client.ts")).openWorkerHash(state, length),
  store: {
    open: async (origin, options) =>
      mayStore(origin, options) ? (await opfsStore()).open(origin, options) : undefined,
    openReadOnly: async (origin, options) =>
      mayStore(origin, options) ? (await opfsStore()).openReadOnly(origin, options) : origin,
  },
  async openDevice({ device, adapter, threads }) {
    const webGpu = globalThis.navigator?.gpu;
    const onGpu = device || adapter === ANY_WEBGPU || (adapter !== "cpu" && (await hasHardware(webGpu)));
    if (!onGpu) return (await import("./cpu-client.ts")).openBrowserCpu(threads);
    const gpu = device ? borrowDevice(device) : await openDevice(webGpu, HINT);
    await gpu.learnToWait();
    return gpu;
  },
  openSource: async (spec, { token, store = canStore() }) => {
    if (spec === undefined) return (await import("./embedded.ts")).embeddedSource();
    const http = store ? { fetch: uncached } : {};
    const isPage = /^hf:|^[^@]*\b(huggingface|hf)\.co\//i.test(spec);
    const repository = isPage
      ? (await import("../weights/sources/hub-page.ts")).repositoryOfPage(spec)
      : undefined;
    if (repository === undefined && /^https?:\/\//i.test(spec)) return httpSource(folderUrl(spec), http);
    return hubSource(repository ?? spec, { ...http, token });
  },
};

const HINT = "Use a browser with WebGPU, and a page served over HTTPS.";

const hasHardware = async (webGpu: GPU | undefined): Promise<boolean> =>
  isHardware(await webGpu?.requestAdapter({ powerPreference: "high-performance" }));

/** Only sources on the network have a version. Files that are here already are not stored again. */
const mayStore = ({ version }: Source, { store }: LoadOptions): boolean =>
  version !== undefined && store !== false;

/** A lazy chunk, fetched if a model may be stored. */
const opfsStore = async () => (await import("./store/store.ts")).OpfsStore;

/**
 * Bypasses the browser's HTTP cache: packed weights need no second copy, and a cached answer may be old.
 */
const uncached: typeof fetch = (input, init) => fetch(input, { ...init, cache: "no-store" });

/** Options of `hubSource` in a browser. */
export interface HubSourceOptions extends HttpSourceOptions {
  /** Access token of the Hub, for private and gated repositories. Default: none. */
  readonly token?: string | undefined;
}

/**
 * A repository of the Hugging Face Hub, read over HTTP.
 *
 * @param repository `owner/name` or `owner/name@revision`, each also with `/file.gguf`
 * @throws CheckpointError if it is not such a name
 */
export function hubSource(repository: string, { token, ...options }: HubSourceOptions = {}): Source {
  const { name, revision, endpoint, folder = "", file = "" } = parseRepository(repository);
  const top = `${endpoint}/${name}/resolve/${encodeURIComponent(revision)}/`;
  return httpSource(`${top}${encodePath(folder + file)}`, {
    ...options,
    ...(token && { headers: { authorization: `Bearer ${token}` } }),
  });
}

/**
 * Loads a model onto the GPU, or into the memory of workers where there is none. If it fails, nothing stays
 * there.
 *
 * @param source an address that holds the files or of a GGUF file, a repository of the Hugging Face Hub as
 * `owner/name`, `owner/name@revision` or `owner/name/file.gguf`, the address of its page, or a `Source`.
 * Default: the tiny model that comes with the package.
 * @throws CheckpointError if files are missing, damaged, or of a model that is not supported
 * @throws NetworkError if the network fails at every try
 * @throws TokenizerError if tokenizer.json cannot be used
 * @throws DeviceError if the GPU that is asked for, or the CPU's workers, do not start, or the model does not
 * fit
 * @throws StorageError, ModelInUseError with `store`: no room, or another tab has the model
 * @throws TypeError, RangeError if an option is unknown, of the wrong type, or out of range; `parameter` is
 * its name
 */
export const loadModel = (source?: string | Source, options: LoadOptions = {}): Promise<Model> =>
  load.loadModel(browser, source, options);

/**
 * Bytes that a model would need on this adapter, from its config and headers only. @throws the errors of
 * `loadModel`
 */
export const planModel = (source?: string | Source, options: LoadOptions = {}): Promise<Plan> =>
  load.planModel(browser, source, options);

/**
 * Measures which kernels are fastest on a model's shapes, and remembers the choice for loading. No weight is
 * read.
 *
 * @throws the errors of `loadModel`
 */
export const tuneModel = (source?: string | Source, options: LoadOptions = {}): Promise<Tuning> =>
  load.tuneModel(browser, source, options);
