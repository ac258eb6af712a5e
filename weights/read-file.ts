// Small whole files of a checkpoint, bounded in size and with an honest reason where one is missing.
import { CheckpointError, mismatch } from "./errors.ts";
import { decodeText, type JsonObject, parseJsonText } from "./json.ts";
import type { Source } from "./sources/source.ts";

/** An index of 100,000 tensors is about 10 MB, the largest tokenizer.json about 35 MB. */
const MAX_TEXT_BYTES = 128 * 2 ** 20;
const ADVICE = "Fetch the file again.";

/** A text file out of a source; undefined where there is no such file. @throws CheckpointError where it is no UTF-8. */
export async function readText(
  source: Source,
  file: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const size = await source.size(file, signal);
  if (size === undefined) return undefined;
  if (size > MAX_TEXT_BYTES) throw mismatch(file, `at most ${MAX_TEXT_BYTES} bytes`, `${size}`, ADVICE);
  return decodeText(await source.read(file, 0, size, signal), file, ADVICE);
}

/** A JSON object out of a source, read as Python does; undefined where there is no such file. */
export async function readJson(
  source: Source,
  file: string,
  signal?: AbortSignal,
): Promise<JsonObject | undefined> {
  const text = await readText(source, file, signal);
  return text === undefined ? undefined : parseJsonText(text, file, ADVICE, "python");
}

/**
 * Why a file that must be there is not. The source is asked, as it knows best: a 401 is not a 404. undefined: there is no such
 * file, and nothing more to say of it.
 */
export async function refusalOf(
  source: Source,
  file: string,
  signal?: AbortSignal,
): Promise<Error | undefined> {
  try {
    await source.read(file, 0, 1, signal);
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.code !== "not-found") return error as Error;
  }
  return undefined;
}
