// What the entry points for browsers (index.ts) and for Node (node.ts) have in common.
export { ChatTemplateError, TokenizerError } from "../tokenizer/index.ts";
export {
  CheckpointError,
  type CheckpointErrorCode,
  fileSource,
  type HttpOptions,
  type HttpSourceOptions,
  httpSource,
  type ModelConfig,
  type NamedBlob,
  type RopeScaling,
  type Source,
} from "../weights/index.ts";
export type * from "./api.ts";
export * from "./errors.ts";
export {
  deleteStoredModel,
  deleteStoredModels,
  listStoredModels,
  persistStorage,
} from "./store/stored-models.ts";
export { loadModelInWorker, type WorkerLoadOptions } from "./worker-client.ts";
