// The browser's entry point: the same names as node.ts, with no Node in them.
export { ChatTemplateError, TokenizerError } from "../tokenizer/index.ts";
export { CheckpointError, fileSource, httpSource, type ModelConfig, type Source } from "../weights/index.ts";
export type * from "./api.ts";
export { hubSource, loadModel, planModel, tuneModel } from "./browser-platform.ts";
export * from "./errors.ts";
export type * from "./openai-types.ts";
export {
  deleteStoredModel,
  deleteStoredModels,
  listStoredModels,
  persistStorage,
} from "./store/stored-models.ts";
export { loadModelInWorker, type WorkerLoadOptions } from "./worker-client.ts";
