// The errors of the engine, one class for each thing a caller can do about it.

/**
 * No usable GPU, or the GPU refused: show what is needed, or load a smaller format. Retrying alone does not
 * help.
 */
export class DeviceError extends Error {
  override name = "DeviceError";
}

/**
 * The GPU went away and the model with it: after `dispose`, with a device of the caller's own, twice while
 * loading, or because putting the model on a new device failed twice in a row. Load it again; in the last
 * case the next call tries again as well.
 */
export class DeviceLostError extends DeviceError {
  override name = "DeviceLostError";
}

/** The prompt or the answer does not fit the context: shorten it, or load with a larger `contextLength`. */
export class ContextLengthError extends Error {
  override name = "ContextLengthError";
}

/** The browser has no room for the weights, or keeps none here: free some, or load with `store: false`. */
export class StorageError extends Error {
  override name = "StorageError";
  /** How much room was wanting, where that is what went wrong. */
  readonly missingBytes: number | undefined;

  constructor(message: string, { missingBytes, ...options }: ErrorOptions & { missingBytes?: number } = {}) {
    super(message, options);
    this.missingBytes = missingBytes;
  }
}

/** A saved session is damaged, or of another model: answer the conversation anew. */
export class SessionError extends Error {
  override name = "SessionError";
}

/** Another tab or worker has the stored model open: close it there, or load with `takeOver: true`. */
export class ModelInUseError extends Error {
  override name = "ModelInUseError";
}
