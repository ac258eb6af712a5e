// Node's entry point: the names of index.ts on Dawn and the file system, and what only Node has.
import { fileURLToPath } from "node:url";
import { folderSource, type Source } from "../weights/node.ts";
import type { AdapterDescription, LoadOptions, Model, Plan, Tuning } from "./api.ts";
import { listDawnAdapters, openDawn } from "./gpu/dawn.ts";
import { borrowDevice } from "./gpu/gpu.ts";
import { yieldCoresDuring } from "./gpu/yield-cores.ts";
import * as load from "./load.ts";
import { namedSource } from "./named-source.ts";
import type { Platform } from "./platform.ts";
import { type Quantized, type QuantizeOptions, quantize } from "./resident/quantize.ts";
import { tuningFiles } from "./tuning/files.ts";

export { ChatTemplateError, TokenizerError } from "../tokenizer/index.ts";
export {
  CheckpointError,
  fileSource,
  folderSource,
  httpSource,
  hubSource,
  type ModelConfig,
  type Source,
} from "../weights/node.ts";
export type * from "./api.ts";
export * from "./errors.ts";
export type * from "./openai-types.ts";
export type { Quantized, QuantizeOptions } from "./resident/quantize.ts";
// A browser's stored models; here there are none.
export {
  deleteStoredModel,
  deleteStoredModels,
  listStoredModels,
  persistStorage,
} from "./store/stored-models.ts";
export { loadModelInWorker, type WorkerLoadOptions } from "./worker-client.ts";

const node: Platform = {
  tuning: tuningFiles,
  openDevice: async ({ device, ...options }) =>
    device ? borrowDevice(device, yieldCoresDuring) : openDawn(options),
  openSource: (spec, options) =>
    spec === undefined
      ? folderSource(fileURLToPath(new URL("../weights/tiny-mistral/", import.meta.url)))
      : namedSource(spec, options),
};

/** Loads a model from a folder, a URL, a Hub repository (`owner/name[@revision]`) or a Source; the embedded one without. */
export const loadModel = (source?: string | Source, options: LoadOptions = {}): Promise<Model> =>
  load.loadModel(node, source, options);

/** What a model would take on this adapter, from its config and headers only. */
export const planModel = (source?: string | Source, options: LoadOptions = {}): Promise<Plan> =>
  load.planModel(node, source, options);

/** Measures which kernels are fastest on a model's shapes, and remembers it for loading; no weight is read. */
export const tuneModel = (source?: string | Source, options: LoadOptions = {}): Promise<Tuning> =>
  load.tuneModel(node, source, options);

/** Writes a smaller checkpoint, packed as it will lie on the GPU. */
export const quantizeModel = (
  source: string | Source | undefined,
  options: QuantizeOptions,
): Promise<Quantized> => quantize(node, source, options);

/** The adapters of this machine; `name` is what the option `adapter` matches. */
export const listAdapters = (): Promise<AdapterDescription[]> => listDawnAdapters();
