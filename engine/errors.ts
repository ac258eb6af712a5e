// The errors of the engine, one class for each thing a caller can do about it.

/**
 * There is no usable GPU, or it refused a command or an allocation. Show what is needed, or load a smaller
 * format. Retrying alone does not help.
 */
export class DeviceError extends Error {
  override name = "DeviceError";
}

/**
 * The GPU device is gone, and the model with it: after `dispose`, with a device of the caller's own, after
 * two losses while loading, or because putting the model on a new device failed twice in a row. Load the
 * model again. In the last case the next call tries once more by itself.
 */
export class DeviceLostError extends DeviceError {
  override name = "DeviceLostError";
}

/** A prompt or a text does not fit the context. Shorten it, or load with a larger `contextLength`. */
export class ContextLengthError extends Error {
  override name = "ContextLengthError";
}

/**
 * The browser has no room for the weights, or cannot store any here. Free some room, or load with `store:
 * false`.
 */
export class StorageError extends Error {
  override name = "StorageError";
  /** Bytes of room that are missing; undefined if room is not the problem. */
  readonly missingBytes: number | undefined;

  constructor(message: string, { missingBytes, ...options }: ErrorOptions & { missingBytes?: number } = {}) {
    super(message, options);
    this.missingBytes = missingBytes;
  }
}

/** A saved session is damaged, or belongs to another model or format. Answer the conversation anew. */
export class SessionError extends Error {
  override name = "SessionError";
}

/** Another tab or worker uses the stored model. Close it there, or load with `takeOver: true`. */
export class ModelInUseError extends Error {
  override name = "ModelInUseError";
}
