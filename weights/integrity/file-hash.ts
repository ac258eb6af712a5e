/** The state of a hash, to be saved and resumed from. */
export type FileState = readonly number[];

/** The SHA-256 of a file whose bytes come in order. */
export interface FileHash {
  /** Bytes so far, with those before a resumed state. */
  readonly length: number;
  /** Adds the next bytes. When it resolves, the caller may change them and add more. */
  update(bytes: Uint8Array): Promise<void>;
  /** The state after all bytes so far; undefined if this hash cannot be resumed. */
  state(): Promise<FileState | undefined>;
  /** In hex. No bytes may follow. */
  digest(): Promise<string>;
  /** Frees what the hash uses. */
  close(): void;
}

/** Opens a hash, or resumes one from its state after `length` bytes. */
export type OpenFileHash = (state?: FileState, length?: number) => Promise<FileHash>;
