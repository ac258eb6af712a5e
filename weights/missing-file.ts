// The error for a required file that is missing. Most pages never need it, and do not fetch it.
import { CheckpointError, label, mismatch, show } from "./errors.ts";
import { foundInstead } from "./found-instead.ts";
import type { Source } from "./source.ts";

/** @param advice used if nothing known is there instead */
export async function missingFile(
  source: Source,
  file: string,
  advice: string,
  signal?: AbortSignal,
): Promise<Error> {
  const refusal = await refusalOf(source, file, signal);
  if (refusal) return refusal;
  const found = await foundInstead(source, signal);
  const but = found ? ` but ${found.what} (${show(found.name)})` : "";
  const got = `no such file in ${source.name}${but}`;
  return mismatch(file, "a file", got, found?.advice ?? advice, "not-found");
}

/** The error for a shard of the index that is missing. */
export async function missingShard(
  source: Source,
  index: string,
  [tensor, file]: readonly [tensor: string, file: string],
  signal: AbortSignal | undefined,
): Promise<Error> {
  const advice = `${index} says it holds ${label(tensor)}: fetch the shard.`;
  return (
    (await refusalOf(source, file, signal)) ??
    mismatch(file, "a file", `no such file in ${source.name}`, advice, "not-found")
  );
}

/**
 * Why a required file cannot be read, for example because access is refused: the error of reading it.
 * @returns undefined if the file simply does not exist
 */
async function refusalOf(source: Source, file: string, signal?: AbortSignal): Promise<Error | undefined> {
  try {
    await source.read(file, 0, 1, signal);
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.code !== "not-found") return error as Error;
  }
  return undefined;
}
