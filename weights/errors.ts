/** The checkpoint's files are not what they should be: other files are needed, retrying never helps. */
export class CheckpointError extends Error {
  override name = "CheckpointError";
}

/** A file is not the one that was promised: nothing of it is to be kept. */
export class WrongFileError extends CheckpointError {
  readonly file: string;

  constructor(file: string, message: string) {
    super(message);
    this.file = file;
  }
}

/** The checkpoint out there is no longer the one that was stored in part: what was stored is of no use. */
export class SourceChangedError extends CheckpointError {}

/** A CheckpointError in the shape of all our messages: "where: expected A, got B. What to do." */
export function mismatch(where: string, expected: string, got: string, advice: string): CheckpointError {
  return new CheckpointError(`${where}: expected ${expected}, got ${got}. ${advice}`);
}

/** What a file said, on one line and short, however hostile it is. */
export function show(value: unknown): string {
  const text = value === undefined ? "nothing" : (JSON.stringify(value) ?? String(value));
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}

/** A name out of a file, for a message: as it is where it is harmless, quoted and cut where it is not. */
export function label(name: string): string {
  return /^[\w.+-]{1,200}$/.test(name) ? name : show(name);
}
