// The folder that a command writes.
import { readdir } from "node:fs/promises";
import { UsageError } from "./errors.ts";

/** Names in the folder; none if there is none. @throws UsageError if `--out` is a file, or below one */
export const namesIn = (out: string): Promise<string[]> =>
  readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    if (error.code === "ENOTDIR") throw new UsageError(`--out: expected a folder, got the file "${out}"`);
    throw error;
  });

/** @param otherwise what to do if it holds files @throws UsageError if `--out` is no new or empty folder */
export async function checkEmpty(out: string, otherwise = ""): Promise<void> {
  const names = await namesIn(out);
  if (names.length === 0) return;
  const held = names.length === 1 ? `"${names[0]}"` : `${names.length} entries`;
  throw new UsageError(
    `--out: expected a new or empty folder, got "${out}", which holds ${held}${otherwise}`,
  );
}
