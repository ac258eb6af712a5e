// Errors that say which of several sources they are about.
import { CheckpointError, NetworkError } from "./errors.ts";

/**
 * @param label what errors begin with, as in `adapter "pirate"`
 * @throws what `open` throws; a CheckpointError and a NetworkError begin with the label
 */
export async function labelled<T>(label: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    const { message, cause } = error as Error;
    if (error instanceof NetworkError)
      throw new NetworkError(`${label}: ${message}`, { cause, status: error.status });
    if (!(error instanceof CheckpointError)) throw error;
    throw new CheckpointError(`${label}: ${message}`, { cause, code: error.code, status: error.status });
  }
}
