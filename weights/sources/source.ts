// Where a checkpoint's bytes come from. The code above never knows which kind it reads.

/** The files of a checkpoint. An object of your own may be one. */
export interface Source {
  /** For messages: the folder, the URL, or owner/name@revision. */
  readonly name: string;
  /** Bytes of a file, or undefined where there is no such file. */
  size(file: string, signal?: AbortSignal): Promise<number | undefined>;
  /** Exactly the bytes [start, end) of a file; the whole file without a range. @throws CheckpointError where it is shorter. */
  read(file: string, start?: number, end?: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  /** Names of what lies there, where the source can tell: to say what was found in place of a checkpoint. */
  list?(signal?: AbortSignal): Promise<readonly string[]>;
  /**
   * What changes whenever the file does, where the source knows (an ETag). Only sources out there have it: those whose
   * checkpoints are worth storing.
   */
  version?(file: string, signal?: AbortSignal): Promise<string | undefined>;
  /** The SHA-256 that is stated of a file, in hex, where one is that the source does not check itself. */
  sha256?(file: string, signal?: AbortSignal): Promise<string | undefined>;
}
