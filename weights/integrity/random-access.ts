/**
 * A file that is read and written in place. Synchronous, as FileSystemSyncAccessHandle is. Errors of the file
 * system are thrown unchanged.
 */
export interface RandomAccess {
  size(): number;
  /** The bytes [at, at + length), or fewer at the end of the file. */
  read(at: number, length: number): Uint8Array<ArrayBuffer>;
  write(bytes: Uint8Array, at: number): void;
  /** Sets the size: cuts the file, or appends zeros. */
  truncate(size: number): void;
  /** Writes everything to disk: after this it survives a crash. */
  flush(): void;
  close(): void;
}
