// Opens a checkpoint with the first reader that recognises it.
import type { Checkpoint } from "./checkpoint.ts";
import { CheckpointError } from "./errors.ts";
import { readers } from "./readers.ts";
import type { Source } from "./source.ts";

/**
 * Opens the checkpoint in `source`: reads config and headers, and no tensor.
 * @throws CheckpointError naming file and tensor
 */
export async function openCheckpoint(source: Source, signal?: AbortSignal): Promise<Checkpoint> {
  for (const reader of readers) {
    if (await reader.fits(source, signal)) return reader.open(source, signal);
  }
  throw new CheckpointError(`${source.name}: expected a checkpoint of a known kind, got none.`);
}
