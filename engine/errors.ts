// The errors of the engine, one class for each thing a caller can do about it.

/** No usable GPU, or the GPU refused: show what is needed, or load a smaller format. Retrying alone does not help. */
export class DeviceError extends Error {
  override name = "DeviceError";
}

/** The GPU went away (driver reset, sleep, `dispose`): the model is gone with it. Load it again. */
export class DeviceLostError extends DeviceError {
  override name = "DeviceLostError";
}

/** The prompt or the answer does not fit the context: shorten it, or load with a larger `contextLength`. */
export class ContextLengthError extends Error {
  override name = "ContextLengthError";
}
