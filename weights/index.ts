// The exports of weights/ for browsers and Node: nothing here imports node:*.
export type {
  Adapter,
  AdapterChange,
  AdapterMatrix,
  AdapterTensor,
  AdapterTokens,
} from "./adapters/adapter.ts";
export { openAdapter } from "./adapters/open-adapter.ts";
export type { Checkpoint, ColumnsOf, FormatOf, Quantised, Vocabulary } from "./checkpoint.ts";
export { companionFiles } from "./companions.ts";
export { type ModelConfig, parseConfig, type RopeScaling } from "./config.ts";
export {
  CheckpointError,
  type CheckpointErrorCode,
  type CheckpointErrorOptions,
  NetworkError,
  type NetworkErrorCode,
  SourceChangedError,
  WrongFileError,
} from "./errors.ts";
export { FileCheck } from "./integrity/file-check.ts";
export type { FileState, OpenFileHash } from "./integrity/file-hash.ts";
export { decodeRecords } from "./integrity/journal.ts";
export { describeJournal, PackedFile, type PackedPiece, packedBytes } from "./integrity/packed-file.ts";
export type { RandomAccess } from "./integrity/random-access.ts";
export { sha256, sha256OfText } from "./integrity/sha256.ts";
export { labelled } from "./labelled.ts";
export { encodePath, folderUrl } from "./named-file.ts";
export { openCheckpoint } from "./open-checkpoint.ts";
export { readJson, readText } from "./read-file.ts";
export { type ReadRowsOptions, readRows, type TensorRows } from "./rows.ts";
export { type DType, type Header, readHeader } from "./safetensors/header.ts";
export { requiredTensors } from "./safetensors/names.ts";
export {
  formatsAs,
  formatsOf,
  packedMetadata,
  packedName,
  packedTensors,
  type StoredTensor,
  scaleName,
  unpackedName,
} from "./safetensors/packed.ts";
export { type HeaderToWrite, type Placed, type TensorToWrite, writeHeader } from "./safetensors/writer.ts";
export type { Source } from "./source.ts";
export { CachedSource, cachedName } from "./sources/cached.ts";
export { fileSource, type NamedBlob } from "./sources/files.ts";
export type { HttpOptions } from "./sources/http.ts";
export { type HttpSourceOptions, httpSource } from "./sources/http-source.ts";
export { repositoryOfPage } from "./sources/hub-page.ts";
export { HUB, isRepository, parseRepository } from "./sources/hub-repository.ts";
export type { Encoding, OwnEncoding, Repack, TensorInfo } from "./tensor-info.ts";
export {
  type LayerRole,
  type ModelRole,
  type RequiredTensor,
  type TensorRole,
  tensorTable,
} from "./tensors.ts";
export { otherVocabularies } from "./vocabulary/names.ts";
