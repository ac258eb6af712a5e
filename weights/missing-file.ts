// The error for a required file that is missing. Most pages never need it, and do not fetch it.
import { mismatch, show } from "./errors.ts";
import { foundInstead } from "./found-instead.ts";
import { refusalOf } from "./read-file.ts";
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
