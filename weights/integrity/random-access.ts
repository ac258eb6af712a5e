// A file that is read and written in place.

/** Synchronous, as the sync access handles of a browser's worker are. Errors of the medium are thrown as they come. */
export interface RandomAccess {
  size(): number;
  /** The bytes [at, at + length), fewer where the file ends before. */
  read(at: number, length: number): Uint8Array<ArrayBuffer>;
  write(bytes: Uint8Array, at: number): void;
  /** Cuts the file, or lengthens it with zeros. */
  truncate(size: number): void;
  /** Returns when all that was written would outlive a crash. */
  flush(): void;
  close(): void;
}
