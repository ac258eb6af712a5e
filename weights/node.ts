// The exports of weights/ for Node: also folders, and the Hub's cache on disk.
export { mergeAdapter } from "./adapters/merge.ts";
export { type GgufFile, ggufFiles } from "./gguf/choice.ts";
export * from "./index.ts";
export { openNodeHash } from "./integrity/node-hash.ts";
export {
  columnsName,
  formatsByCount,
  hiddenOrderName,
  packedHeader,
  packedOrders,
} from "./safetensors/mixed-formats.ts";
export { INDEX_FILE, isLooseShard } from "./safetensors/names.ts";
export { type Shard, shardsOf, tensorsToWrite } from "./safetensors/written.ts";
export { folderSource, requireFolder, statOf } from "./sources/folder.ts";
export { type HubProgress, type HubSourceOptions, hubSource } from "./sources/hub.ts";
export type { Environment as HubEnvironment } from "./sources/hub-cache.ts";
