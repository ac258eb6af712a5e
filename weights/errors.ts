// Errors of checkpoints and of the network. Programs read `code`; the message is for people.

/** Codes of a CheckpointError. */
export type CheckpointErrorCode =
  /** There is no such file, folder or repository. */
  | "not-found"
  /** Access was refused: HTTP 401 or 403. */
  | "forbidden"
  /** A web page came instead of a file. */
  | "html"
  /** The server answered with another unexpected HTTP status. */
  | "http"
  /** Bytes are missing, or differ from their stated SHA-256. Fetch the file again. */
  | "damaged-file"
  /** The checkpoint at the source is no longer the one that was stored in part. */
  | "changed-source"
  /** The files are not a checkpoint that Sirocco reads. */
  | "bad-checkpoint";

/** Options of a CheckpointError. */
export interface CheckpointErrorOptions extends ErrorOptions {
  /** Default "bad-checkpoint". */
  readonly code?: CheckpointErrorCode;
  /** The HTTP status, if a server said so: of "not-found", "forbidden" and "http". Default: none. */
  readonly status?: number | undefined;
}

/**
 * The checkpoint is missing, refused, damaged or not supported. Trying again with the same files never helps.
 */
export class CheckpointError extends Error {
  override name = "CheckpointError";
  /** What kind of refusal it is. */
  readonly code: CheckpointErrorCode;
  /** The HTTP status, if the refusal was a server's. */
  readonly status: number | undefined;

  constructor(message: string, { code = "bad-checkpoint", status, ...options }: CheckpointErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.status = status;
  }
}

/** A file does not have its stated SHA-256. Nothing of it is kept. */
export class WrongFileError extends CheckpointError {
  /** Its name. */
  readonly file: string;

  constructor(file: string, message: string) {
    super(message, { code: "damaged-file" });
    this.file = file;
  }
}

/** The checkpoint at the source is no longer the one that was stored in part: the stored part is useless. */
export class SourceChangedError extends CheckpointError {
  constructor(message: string) {
    super(message, { code: "changed-source" });
  }
}

/** Codes of a NetworkError. */
export type NetworkErrorCode =
  /** No connection, or it broke off or stalled, at every try. */
  | "offline"
  /** The server answered 408, 429 or 5xx at every try; `status` is the last one. */
  | "http";

/** The network failed at every try. Trying again later may help. */
export class NetworkError extends Error {
  override name = "NetworkError";
  /** What went wrong, for programs. */
  readonly code: NetworkErrorCode;
  /** The HTTP status, if the code is "http". */
  readonly status: number | undefined;

  constructor(
    message: string,
    { status, ...options }: ErrorOptions & { readonly status?: number | undefined } = {},
  ) {
    super(message, options);
    this.code = status === undefined ? "offline" : "http";
    this.status = status;
  }
}

/** A CheckpointError in the shape of all our messages: "where: expected A, got B. What to do." */
export function mismatch(
  where: string,
  expected: string,
  got: string,
  advice: string,
  code?: CheckpointErrorCode,
  status?: number,
): CheckpointError {
  return new CheckpointError(`${where}: expected ${expected}, got ${got}. ${advice}`, {
    ...(code && { code }),
    status,
  });
}

/** A value of a file for a message: on one line and at most 80 characters. */
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

/** A name from a file for a message: unchanged if it is harmless, else quoted and shortened. */
export function label(name: string): string {
  return /^[\w.+-]{1,200}$/.test(name) ? name : show(name);
}
