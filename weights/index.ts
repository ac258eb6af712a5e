// weights/ for the browser and for Node: nothing here reaches node:*.
export { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
export { companionFiles } from "./companions.ts";
export { type ModelConfig, parseConfig, type RopeScaling } from "./config.ts";
export { CheckpointError } from "./errors.ts";
export {
  embedTokens,
  finalNorm,
  type LayerNames,
  layerNames,
  lmHead,
  type RequiredTensor,
  requiredTensors,
} from "./names.ts";
export {
  matrixFormat,
  type Packed,
  type PackedFormat,
  packedMetadata,
  packedName,
  packedTensors,
  type StoredTensor,
  scaleName,
} from "./packed.ts";
export { type ReadRowsOptions, type Rows, readRows } from "./rows.ts";
export { type DType, type Header, readHeader, type TensorInfo } from "./safetensors.ts";
export { type HeaderToWrite, type Placed, type TensorToWrite, writeHeader } from "./safetensors-writer.ts";
export type { Source } from "./source.ts";
export { fileSource, type NamedBlob } from "./source-files.ts";
export { type HttpSourceOptions, httpSource } from "./source-http.ts";
