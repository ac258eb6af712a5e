// Small whole files of a checkpoint, bounded in size and with an honest reason where one is missing.
import { CheckpointError, mismatch } from "./errors.ts";
import { type JsonObject, parseJson } from "./json.ts";
import type { Source } from "./source.ts";

/** An index of 100,000 tensors is about 10 MB. */
const MAX_JSON_BYTES = 64 * 2 ** 20;

/** A JSON object out of a source; undefined where there is no such file. */
export async function readJson(
  source: Source,
  file: string,
  signal?: AbortSignal,
): Promise<JsonObject | undefined> {
  const size = await source.size(file, signal);
  if (size === undefined) return undefined;
  const advice = "Fetch the file again.";
  if (size > MAX_JSON_BYTES) throw mismatch(file, `at most ${MAX_JSON_BYTES} bytes`, `${size}`, advice);
  return parseJson(await source.read(file, 0, size, signal), file, advice);
}

/** The error of a file that must be there. The source is asked, as it knows best: a 401 is not a 404. */
export async function missing(
  source: Source,
  file: string,
  advice: string,
  signal?: AbortSignal,
): Promise<Error> {
  try {
    await source.read(file, 0, 1, signal);
  } catch (error) {
    if (!(error instanceof CheckpointError) || !/got no such file/.test(error.message)) return error as Error;
  }
  return mismatch(file, "a file", `no such file in ${source.name}`, advice);
}
