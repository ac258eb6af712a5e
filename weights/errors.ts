/** What kind of refusal it is, where callers act on it. The message is for people. */
export type CheckpointErrorCode =
  /** There is no such file, folder or repository. */
  | "not-found"
  /** Access was refused: HTTP 401 or 403. */
  | "forbidden"
  /** A web page came in place of a file. */
  | "html";

/** The checkpoint's files are not what they should be: other files are needed, retrying never helps. */
export class CheckpointError extends Error {
  override name = "CheckpointError";
  /** What kind of refusal it is, if a caller may act on it. */
  readonly code: CheckpointErrorCode | undefined;

  constructor(
    message: string,
    { code, ...options }: ErrorOptions & { readonly code?: CheckpointErrorCode | undefined } = {},
  ) {
    super(message, options);
    this.code = code;
  }
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
export function mismatch(
  where: string,
  expected: string,
  got: string,
  advice: string,
  code?: CheckpointErrorCode,
): CheckpointError {
  return new CheckpointError(`${where}: expected ${expected}, got ${got}. ${advice}`, { code });
}

/** What a file said, on one line and short, however hostile it is. */
export function show(value: unknown): string {
  const text = value === undefined ? "nothing" : toText(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}

function toText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return `a value of type ${typeof value}`; // A cycle, a BigInt, or nested too deep for the stack.
  }
}

/** A name out of a file, for a message: as it is where it is harmless, quoted and cut where it is not. */
export function label(name: string): string {
  return /^[\w.+-]{1,200}$/.test(name) ? name : show(name);
}
