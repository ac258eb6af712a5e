// Reads small files of a checkpoint whole, with a bound on their size.
import { mismatch } from "./errors.ts";
import { decodeText, type JsonObject, parseJsonText } from "./json.ts";
import type { Source } from "./source.ts";

/** An index of 100,000 tensors is about 10 MB, the largest tokenizer.json about 35 MB. */
const MAX_BYTES = 128 * 2 ** 20;
const ADVICE = "Fetch the file again.";

/** Reads a file; undefined if there is none. @throws CheckpointError if it is too large */
export async function readBytes(
  source: Source,
  file: string,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  const size = await source.size(file, signal);
  if (size === undefined) return undefined;
  if (size > MAX_BYTES) throw mismatch(file, `at most ${MAX_BYTES} bytes`, `${size}`, ADVICE);
  return source.read(file, 0, size, signal);
}

/** Reads a text file; undefined if there is none. @throws CheckpointError if it is too large or not UTF-8 */
export async function readText(
  source: Source,
  file: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const bytes = await readBytes(source, file, signal);
  return bytes && decodeText(bytes, file, ADVICE);
}

/**
 * Reads a JSON object as Python does; undefined if there is no such file.
 * @throws CheckpointError if it is invalid
 */
export async function readJson(
  source: Source,
  file: string,
  signal?: AbortSignal,
): Promise<JsonObject | undefined> {
  const text = await readText(source, file, signal);
  return text === undefined ? undefined : parseJsonText(text, file, ADVICE, "python");
}
