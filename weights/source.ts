// The interface between checkpoints and the places where their bytes are.

/**
 * Where the files of a checkpoint are read from: a folder, a URL, a Hub repository, picked files. You may
 * implement your own.
 */
export interface Source {
  /** The folder, the URL, or owner/name@revision; for messages. */
  readonly name: string;
  /** The file that was named, if a file was: a GGUF file, or one of its parts. */
  readonly file?: string | undefined;
  /** The size of a file in bytes; undefined if there is no such file. */
  size(file: string, signal?: AbortSignal): Promise<number | undefined>;
  /**
   * Exactly the bytes [start, end) of a file. Default: the whole file.
   * @throws CheckpointError if the file is missing or shorter
   */
  read(file: string, start?: number, end?: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Names of the files and folders there, if the source can list them; for messages, and to find a GGUF file.
   */
  list?(signal?: AbortSignal): Promise<readonly string[]>;
  /**
   * A value that changes whenever the file does, such as an ETag; undefined if it is not known. Only remote
   * sources have this method: their checkpoints are worth storing.
   */
  version?(file: string, signal?: AbortSignal): Promise<string | undefined>;
  /**
   * The SHA-256 that is stated for a file, in hex. Missing if there is none or the source checks it itself.
   */
  sha256?(file: string, signal?: AbortSignal): Promise<string | undefined>;
}
