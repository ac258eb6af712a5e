// What the entry points for browsers (index.ts) and for Node (node.ts) have in common.
export {
  ChatTemplateError,
  type ChatTemplateErrorCode,
  TokenizerError,
  type TokenizerErrorCode,
} from "../tokenizer/index.ts";
export {
  CheckpointError,
  type CheckpointErrorCode,
  type CheckpointErrorOptions,
  fileSource,
  type HttpOptions,
  type HttpSourceOptions,
  httpSource,
  type ModelConfig,
  type NamedBlob,
  NetworkError,
  type NetworkErrorCode,
  type RopeScaling,
  type Source,
} from "../weights/index.ts";
export type * from "./api.ts";
export * from "./errors.ts";
export type { ParameterError, ParameterErrorCode } from "./options/parameter.ts";
export {
  deleteStoredModel,
  deleteStoredModels,
  listStoredModels,
  persistStorage,
} from "./store/stored-models.ts";
export { loadModelInWorker, type WorkerLoadOptions } from "./worker-client.ts";
