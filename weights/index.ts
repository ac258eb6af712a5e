// weights/ for the browser and for Node: nothing here reaches node:*.
export { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
export { companionFiles } from "./companions.ts";
export { type ModelConfig, parseConfig, type RopeScaling } from "./config.ts";
export { CheckpointError, type CheckpointErrorCode, SourceChangedError, WrongFileError } from "./errors.ts";
export { FileCheck, type FileState } from "./file-check.ts";
export { HUB, isRepository, parseRepository, repositoryOfPage } from "./hub-repository.ts";
export { decodeRecords } from "./journal.ts";
export { folderUrl } from "./named-file.ts";
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
  packedFormats,
  packedMetadata,
  packedName,
  packedTensors,
  type StoredTensor,
  scaleName,
} from "./packed.ts";
export { describeJournal, PackedFile, type Piece, packedBytes } from "./packed-file.ts";
export type { RandomAccess } from "./random-access.ts";
export { readJson, readText } from "./read-file.ts";
export { type ReadRowsOptions, type Rows, readRows } from "./rows.ts";
export { type DType, type Header, readHeader, type TensorInfo } from "./safetensors.ts";
export { type HeaderToWrite, type Placed, type TensorToWrite, writeHeader } from "./safetensors-writer.ts";
export { sha256, sha256OfText } from "./sha256.ts";
export type { Source } from "./source.ts";
export { fileSource, type NamedBlob } from "./source-files.ts";
export { type HttpSourceOptions, httpSource } from "./source-http.ts";
export { KeptSource, nameOfKept } from "./source-kept.ts";
