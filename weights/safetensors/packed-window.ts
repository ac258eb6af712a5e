// The attention window that a checkpoint had lost before it was packed.
import { mismatch, show } from "../errors.ts";
import { lostWindow } from "../lost-window.ts";

/**
 * @param value of `lost_window` in the `__metadata__` of `file`
 * @param name of the source
 * @throws CheckpointError if it is not a number of tokens
 */
export function packedLostWindow(value: string, file: string, name: string) {
  if (/^[1-9]\d{0,8}$/.test(value)) return lostWindow(Number(value), name);
  const where = `${file}: __metadata__: lost_window`;
  throw mismatch(where, "a number of tokens", show(value), "Quantise the original checkpoint again.");
}
