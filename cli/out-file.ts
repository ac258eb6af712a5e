// The file that a command writes.
import { access, constants, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { UsageError } from "./errors.ts";

/** @throws UsageError if `--out` is no file that can be written, or in no folder */
export async function checkOutFile(out: string): Promise<void> {
  const folder = dirname(out);
  const [file, parent] = await Promise.all([out, folder].map((path) => stat(path).catch(() => undefined)));
  if (file?.isDirectory()) throw new UsageError(`--out: expected a file, got the folder "${out}"`);
  if (!parent?.isDirectory())
    throw new UsageError(
      `--out: expected a file in a folder that is there, got "${out}". Make "${folder}" first`,
    );
  await access(file ? out : folder, constants.W_OK).catch(() => {
    throw new UsageError(`--out: expected a file that can be written, got "${out}"`);
  });
}
