// The errors of the engine, one class for each thing a caller can do about it, and the codes of all errors.
import type { ChatTemplateErrorCode, TokenizerErrorCode } from "../tokenizer/index.ts";
import type { CheckpointErrorCode, NetworkErrorCode } from "../weights/index.ts";
import type { ParameterErrorCode } from "./options/parameter.ts";

/**
 * The property `code` of every error that Sirocco throws on purpose. It is the same in a worker, on the page
 * and in Node; the server sends it with underscores. Read it, not the message: messages may be reworded in
 * any release.
 */
export type ErrorCode =
  | CheckpointErrorCode
  | NetworkErrorCode
  | TokenizerErrorCode
  | ChatTemplateErrorCode
  | ParameterErrorCode
  | DeviceErrorCode
  | DeviceLostErrorCode
  | "context-length"
  | ExtractionErrorCode
  | StorageErrorCode
  | "bad-session"
  | ModelInUseErrorCode;

/** Codes of a DeviceError. */
export type DeviceErrorCode =
  /** There is no WebGPU here: no `navigator.gpu`, or the npm package `webgpu` does not load. */
  | "no-webgpu"
  /** WebGPU has no adapter, or none of the name that was asked for. */
  | "no-adapter"
  /**
   * There are no workers here, as in Node, or the worker's script does not run: use `loadModel`. Or Node does
   * not permit threads.
   */
  | "no-worker"
  /** The GPU cannot allocate so much memory. Load a smaller weight format or a shorter context. */
  | "out-of-memory"
  /**
   * The model needs larger buffers than this adapter binds. Load a smaller weight format or a shorter
   * context.
   */
  | "adapter-limit"
  /** The adapter does not compile a kernel. */
  | "kernel-refused"
  /** The device refused a command, or a buffer has a wrong size: a bug in the engine or the driver. */
  | "command-refused";

/** Codes of a DeviceLostError. */
export type DeviceLostErrorCode =
  /** The device is gone, and the model was not put on a new one. */
  | "device-lost"
  /** `dispose` was called. */
  | "disposed";

/**
 * There is no usable GPU or no worker for it, or the GPU refused a command or an allocation. Show what is
 * needed, or load a smaller format. Retrying alone does not help.
 */
export class DeviceError extends Error {
  override name = "DeviceError";
  /** What went wrong, for programs. */
  readonly code: DeviceErrorCode | DeviceLostErrorCode;

  constructor(
    message: string,
    { code, ...options }: ErrorOptions & { readonly code: DeviceErrorCode | DeviceLostErrorCode },
  ) {
    super(message, options);
    this.code = code;
  }
}

/**
 * The GPU device is gone, and the model with it: after `dispose`, with a device of the caller's own, after
 * two losses while loading, or because putting the model on a new device failed twice in a row. Load the
 * model again. In the last case the next call tries once more by itself.
 */
export class DeviceLostError extends DeviceError {
  override name = "DeviceLostError";

  /** @param code default "device-lost" */
  constructor(
    message: string,
    { code = "device-lost", ...options }: ErrorOptions & { readonly code?: DeviceLostErrorCode } = {},
  ) {
    super(message, { code, ...options });
  }
}

/** A prompt or a text does not fit the context. Shorten it, or load with a larger `contextLength`. */
export class ContextLengthError extends Error {
  override name = "ContextLengthError";
  /** What went wrong, for programs. */
  readonly code = "context-length";
}

/** Codes of an ExtractionError. */
export type ExtractionErrorCode =
  /** The answer reached `maxTokens` or the context's end inside the value. */
  | "cut-off"
  /** The schema refuses the value, for a reason that its JSON Schema does not tell. */
  | "refused-value";

/** There is an answer, but no value of it. Raise `maxTokens`, or ask again. */
export class ExtractionError extends Error {
  override name = "ExtractionError";
  /** What went wrong, for programs. */
  readonly code: ExtractionErrorCode;
  /** The answer. */
  readonly text: string;

  constructor(message: string, { code, text }: { code: ExtractionErrorCode; text: string }) {
    super(message);
    this.code = code;
    this.text = text;
  }
}

/** Codes of a StorageError. */
export type StorageErrorCode =
  /** The browser gives no room for the weights; `missingBytes` says how much is missing. */
  | "quota"
  /**
   * Weights cannot be stored here: only a dedicated worker of a browser with a private file system stores
   * them.
   */
  | "no-storage";

/**
 * The browser has no room for the weights, or cannot store any here. Free some room, or load with `store:
 * false`.
 */
export class StorageError extends Error {
  override name = "StorageError";
  /** What went wrong, for programs. */
  readonly code: StorageErrorCode;
  /** Bytes that are missing, with the code "quota". */
  readonly missingBytes: number | undefined;

  constructor(
    message: string,
    {
      code,
      missingBytes,
      ...options
    }: ErrorOptions & { readonly code: StorageErrorCode; readonly missingBytes?: number },
  ) {
    super(message, options);
    this.code = code;
    this.missingBytes = missingBytes;
  }
}

/** A saved session is damaged, or belongs to another model or format. Answer the conversation anew. */
export class SessionError extends Error {
  override name = "SessionError";
  /** What went wrong, for programs. */
  readonly code = "bad-session";
}

/** Codes of a ModelInUseError. */
export type ModelInUseErrorCode =
  /** Another tab or worker has the stored model open. */
  | "in-use"
  /** Another tab took the model over while it was loaded here. */
  | "taken-over";

/** Another tab or worker uses the stored model. Close it there, or load with `takeOver: true`. */
export class ModelInUseError extends Error {
  override name = "ModelInUseError";
  /** What went wrong, for programs. */
  readonly code: ModelInUseErrorCode;

  constructor(message: string, { code, ...options }: ErrorOptions & { readonly code: ModelInUseErrorCode }) {
    super(message, options);
    this.code = code;
  }
}
