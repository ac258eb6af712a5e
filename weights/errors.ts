/** The checkpoint's files are not what they should be: other files are needed, retrying never helps. */
export class CheckpointError extends Error {
  override name = "CheckpointError";
}
